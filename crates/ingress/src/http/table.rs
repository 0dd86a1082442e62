//! The route table: from host, path and method to a function. Immutable; a new snapshot makes a new table, which keeps the parts of
//! the old one whose app or revision is the very same object.

use std::{
    collections::{BTreeMap, HashMap, hash_map::DefaultHasher},
    hash::BuildHasherDefault,
    sync::Arc,
};

use ports::Rng;
use types::{AppKey, Code, LiveApp, LiveFunction, LiveRevision, MethodSet, Problem, Snapshot};

use super::{
    ingest::{self, Ingest},
    site::{Files, Found},
};

/// A map whose hashing needs no seed: its keys come from those who deploy, not from those who call.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// All that a gateway serves at one time.
#[derive(Default)]
pub(crate) struct Table {
    /// The snapshot's number.
    pub(crate) number: u64,
    hosts: Map<Box<str>, Arc<AppRoutes>>,
    default: Option<Arc<AppRoutes>>,
    /// Every app by the address of its object, which lives as long as this table: what the next table takes over.
    apps: Map<usize, Arc<AppRoutes>>,
}

struct AppRoutes {
    app: Arc<LiveApp>,
    /// One for each share, in the order of the shares.
    revisions: Vec<Arc<RevisionRoutes>>,
}

struct RevisionRoutes {
    revision: Arc<LiveRevision>,
    /// Patterns whose segments are all there in each path they match.
    exact: matchit::Router<Endpoints>,
    /// Patterns that end in a wildcard: asked when no exact one answers, and no file.
    rest: matchit::Router<Endpoints>,
    site: Option<Files>,
    ingest: Option<Arc<Ingest>>,
}

/// Who answers to a request.
pub(crate) enum Target {
    /// A function.
    Function(Arc<LiveFunction>),
    /// A file of the app's site.
    File(Found),
    /// The app's way in for events.
    Events(Arc<Ingest>),
}

/// Who answers to one pattern.
#[derive(Default)]
struct Endpoints(Vec<(MethodSet, Arc<LiveFunction>)>);

/// Why nobody answers.
#[derive(Debug)]
pub(crate) struct Unrouted {
    /// What the caller is told.
    pub(crate) problem: Box<Problem>,
    /// The `allow` field of an `E0403`.
    pub(crate) allow: Option<String>,
}

impl From<Problem> for Unrouted {
    fn from(problem: Problem) -> Self {
        Box::new(problem).into()
    }
}
impl From<Box<Problem>> for Unrouted {
    fn from(problem: Box<Problem>) -> Self {
        Self { problem, allow: None }
    }
}

impl Table {
    /// The table of this snapshot.
    pub(crate) fn build(snapshot: &Snapshot, old: &Self) -> Self {
        let mut known: Map<usize, Arc<RevisionRoutes>> = Map::default();
        for routes in old.apps.values().flat_map(|app| &app.revisions) {
            known.insert(address(&routes.revision), Arc::clone(routes));
        }
        let mut table = Self { number: snapshot.number, ..Self::default() };
        let mut apps: Vec<&Arc<LiveApp>> = snapshot.apps.iter().collect();
        // Whoever comes first gets a disputed host, so the order must not depend on how the snapshot was put together.
        apps.sort_by(|a, b| a.key.cmp(&b.key));
        for app in apps {
            let kept = old.apps.get(&address(app)).cloned();
            let routes = kept.unwrap_or_else(|| Arc::new(AppRoutes::build(app, &known)));
            table.apps.insert(address(app), Arc::clone(&routes));
            for host in &app.hosts {
                table.hosts.entry(host.as_str().into()).or_insert_with(|| Arc::clone(&routes));
            }
            if app.default && table.default.is_none() {
                table.default = Some(routes);
            }
        }
        table.add_local_names(snapshot);
        table
    }

    /// `<app>.localhost`, unless an app names that host itself.
    fn add_local_names(&mut self, snapshot: &Snapshot) {
        let mut apps: Vec<&Arc<LiveApp>> = snapshot.apps.iter().collect();
        apps.sort_by(|a, b| a.key.cmp(&b.key));
        for app in apps {
            let host = format!("{}.localhost", app.key.app).into_boxed_str();
            let routes = &self.apps[&address(app)];
            self.hosts.entry(host).or_insert_with(|| Arc::clone(routes));
        }
    }

    /// Who answers to a request. `host` is in lower case and without port. The app's way in for events comes first. Routes come before files, files before routes that end in a
    /// wildcard, and the site's fallback last.
    pub(crate) fn find(&self, host: &str, path: &str, method: &str, rng: &dyn Rng) -> Result<Target, Unrouted> {
        let Some(app) = self.hosts.get(host).or(self.default.as_ref()) else {
            let problem = Problem::new(Code::E0401, format!("no app answers to the host {host:?}"));
            return Err(problem.help("call an app by its domain or as <app>.localhost").into());
        };
        app.pick(rng).find(path, method)
    }
}

impl AppRoutes {
    fn build(app: &Arc<LiveApp>, known: &Map<usize, Arc<RevisionRoutes>>) -> Self {
        let of = |(revision, _): &(Arc<LiveRevision>, u32)| {
            let kept = known.get(&address(revision)).cloned();
            kept.unwrap_or_else(|| Arc::new(RevisionRoutes::build(&app.key, revision)))
        };
        Self { app: Arc::clone(app), revisions: app.shares.iter().map(of).collect() }
    }

    fn pick(&self, rng: &dyn Rng) -> &RevisionRoutes {
        if let [only] = &self.revisions[..] {
            return only;
        }
        let mut ticket = [0; 4];
        rng.fill(&mut ticket);
        let picked = self.app.pick(u32::from_ne_bytes(ticket));
        let index = self.app.shares.iter().position(|(revision, _)| Arc::ptr_eq(revision, picked));
        &self.revisions[index.expect("the revision was picked from these shares")]
    }
}

impl RevisionRoutes {
    fn build(key: &AppKey, revision: &Arc<LiveRevision>) -> Self {
        let mut patterns: BTreeMap<String, Endpoints> = BTreeMap::new();
        for function in revision.functions.values() {
            for route in &function.function.routes {
                let endpoints = patterns.entry(numbered(&route.path)).or_default();
                endpoints.0.push((route.methods.clone(), Arc::clone(function)));
            }
        }
        let site = revision.site.as_deref().map(Files::new);
        let (mut exact, mut rest) = (matchit::Router::new(), matchit::Router::new());
        for (pattern, endpoints) in patterns {
            let router = if pattern.contains("{*") { &mut rest } else { &mut exact };
            if let Err(error) = router.insert(pattern.as_str(), endpoints) {
                tracing::error!(%pattern, %error, revision = %revision.number, "a route that the manifest allowed can't be served");
            }
        }
        let ingest = revision.events.clone().map(|settings| Arc::new(Ingest { key: key.clone(), settings }));
        Self { revision: Arc::clone(revision), exact, rest, site, ingest }
    }

    fn find(&self, path: &str, method: &str) -> Result<Target, Unrouted> {
        if let Some(ingest) = self.ingest.as_ref().filter(|_| path == ingest::PATH && method == "POST") {
            return Ok(Target::Events(Arc::clone(ingest)));
        }
        let exact = self.exact.at(path).ok();
        if let Some(function) = exact.as_ref().and_then(|matched| matched.value.find(method)) {
            return Ok(Target::Function(Arc::clone(function)));
        }
        let reads = matches!(method, "GET" | "HEAD");
        let file = self.site.as_ref().filter(|_| exact.is_none()).and_then(|site| site.find(path));
        let file = match file {
            Some(found) if reads => return Ok(Target::File(found)),
            other => other,
        };
        let rest = self.rest.at(path).ok();
        if let Some(function) = rest.as_ref().and_then(|matched| matched.value.find(method)) {
            return Ok(Target::Function(Arc::clone(function)));
        }
        let mut allowed: Vec<&str> = [exact, rest].iter().flatten().flat_map(|matched| matched.value.allowed()).collect();
        if allowed.is_empty()
            && let Some(fallback) = self.site.as_ref().filter(|_| reads).and_then(Files::fallback)
        {
            return Ok(Target::File(fallback));
        }
        if file.is_some() {
            allowed.extend(["GET", "HEAD"]);
        }
        if allowed.is_empty() {
            return Err(Problem::new(Code::E0402, format!("no route answers to {path}")).into());
        }
        allowed.sort_unstable();
        allowed.dedup();
        let allow = allowed.join(", ");
        let problem = Problem::new(Code::E0403, format!("no route answers to {method} {path}"));
        Err(Unrouted { problem: Box::new(problem.help(format!("use {allow}"))), allow: Some(allow) })
    }
}

impl Endpoints {
    /// A route that names the method comes before one that answers `HEAD` through `GET`, and that before one for any method.
    fn find(&self, method: &str) -> Option<&Arc<LiveFunction>> {
        let named = |set: &MethodSet| set.as_slice().iter().any(|m| m == method);
        let through_get = |set: &MethodSet| !set.as_slice().is_empty() && set.contains(method);
        let any = |set: &MethodSet| set.as_slice().is_empty();
        let of = |rule: &dyn Fn(&MethodSet) -> bool| self.0.iter().find(|(set, _)| rule(set)).map(|(_, function)| function);
        of(&named).or_else(|| of(&through_get)).or_else(|| of(&any))
    }

    fn allowed(&self) -> impl Iterator<Item = &str> {
        let with_head = |method: &str| if method == "GET" { Some("HEAD") } else { None };
        let methods = self.0.iter().flat_map(|(set, _)| set.as_slice()).map(String::as_str);
        methods.flat_map(move |method| std::iter::once(method).chain(with_head(method)))
    }
}

/// The pattern with its parameters numbered: routes that differ only in the names of their parameters are one pattern.
fn numbered(pattern: &str) -> String {
    let rename = |(index, segment): (usize, &str)| match segment.strip_prefix('{') {
        Some(parameter) if parameter.starts_with('*') => format!("{{*p{index}}}"),
        Some(_) => format!("{{p{index}}}"),
        None => segment.to_owned(),
    };
    pattern.split('/').enumerate().map(rename).collect::<Vec<_>>().join("/")
}

fn address<T>(object: &Arc<T>) -> usize {
    Arc::as_ptr(object).addr()
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
