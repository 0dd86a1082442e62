//! Merges the layers and makes the model.
//!
//! Of a function the layers are its table `[fn.x]`, its own `fn.toml`, and `[env.y.fn.x]`, each over the one before. Values that
//! `check` has refused are left at their defaults here, so that one run finds all problems; nothing of it is then given out.

use std::collections::{BTreeMap, BTreeSet};

use types::{
    App, Code, EnvName, Function, FunctionName, Limits, Problem, RecordMode,
    app::ResourceKind,
    trigger::{Effects, On, Webhook, WebhookEncoding, WebhookHash},
};

use crate::{
    FUNCTION_FILE_NAME, check, code,
    files::{Files, Found},
    grammar, leaf,
    load::{Loaded, read_table},
    nearest::nearest,
    on,
    origins::{Origins, print},
    routes::{self, Placed},
    settings,
    source::{At, Sources},
    tree::{Key, Node, Table, Value},
};

/// What came of a manifest.
pub(crate) struct Made {
    pub(crate) loaded: Option<Loaded>,
    pub(crate) problems: Vec<Problem>,
}

/// Makes the model for one environment and finds what is wrong with the whole.
pub(crate) fn make(sources: &mut Sources, root: &Table, env: &EnvName, files: &dyn Files) -> Made {
    let mut problems = Vec::new();
    let own_env = environment(root, env, &mut problems);
    problems.extend(unknown_functions(sources, root));
    let layers = functions(sources, root, own_env, files, &mut problems);
    let mut maker = Maker { sources, files, problems, origins: Origins::default() };
    let loaded = maker.app(root, env, own_env, &layers);
    Made { loaded, problems: maker.problems }
}

/// The environment's table; a problem if the file has environments, but neither this one nor one that always exists.
fn environment<'a>(root: &'a Table, env: &EnvName, problems: &mut Vec<Problem>) -> Option<&'a Table> {
    const ALWAYS: [&str; 2] = ["dev", "prod"];
    let own = root.table("env").and_then(|envs| envs.table(env.as_str()));
    if own.is_none() && !ALWAYS.contains(&env.as_str()) {
        let written = root.table("env").into_iter().flat_map(|envs| envs.0.iter().map(|(key, _)| key.name.as_str()));
        let known: BTreeSet<&str> = written.chain(ALWAYS).filter(|name| name.parse::<EnvName>().is_ok()).collect();
        let problem = Problem::new(Code::E0110, format!("the manifest has no environment {:?}", env.as_str()))
            .note(format!("environments: {}", known.iter().copied().collect::<Vec<_>>().join(", ")));
        problems.push(match nearest(env.as_str(), known) {
            Some(meant) => problem.help(format!("--env {meant}")),
            None => problem.help(format!("[env.{env}]")),
        });
    }
    own
}

/// Functions of environments that the file does not have and that bring no code of their own: slips of the finger.
fn unknown_functions(sources: &Sources, root: &Table) -> Vec<Problem> {
    let known: Vec<&str> =
        root.table("fn").into_iter().flat_map(|table| table.0.iter().map(|(key, _)| key.name.as_str())).collect();
    let mut problems = Vec::new();
    for (env, node) in root.table("env").into_iter().flat_map(|envs| &envs.0) {
        let Value::Table(table) = &node.value else { continue };
        for (key, node) in table.table("fn").into_iter().flat_map(|functions| &functions.0) {
            let has_path = matches!(&node.value, Value::Table(table) if table.get("path").is_some());
            if known.contains(&key.name.as_str()) || has_path || key.name.parse::<FunctionName>().is_err() {
                continue;
            }
            let mended = nearest(&key.name, known.iter().copied()).and_then(|name| sources.mended(key.at, name));
            let mut problem =
                Problem::new(Code::E0103, format!("[env.{}] sets a function that does not exist: {}", env.name, key.name))
                    .at(sources.place(key.at))
                    .note(format!("functions: {}", known.join(", ")));
            problem.help = mended;
            problems.push(problem);
        }
    }
    problems
}

/// A function's merged table and where its name stands.
struct Layered {
    name: FunctionName,
    key: Key,
    table: Table,
}

fn functions(
    sources: &mut Sources,
    root: &Table,
    own_env: Option<&Table>,
    files: &dyn Files,
    problems: &mut Vec<Problem>,
) -> Vec<Layered> {
    let mut layers: BTreeMap<FunctionName, Layered> = BTreeMap::new();
    let base = root.table("fn").into_iter().flat_map(|functions| &functions.0);
    let over = own_env.and_then(|env| env.table("fn")).into_iter().flat_map(|functions| &functions.0);
    let named = |(key, node): &(Key, Node)| match (key.name.parse::<FunctionName>(), &node.value) {
        (Ok(name), Value::Table(table)) => Some((name, key.clone(), table.clone())),
        _ => None,
    };
    for (name, key, table) in base.filter_map(named) {
        layers.insert(name.clone(), Layered { name, key, table });
    }
    let over: BTreeMap<FunctionName, (Key, Table)> =
        over.filter_map(named).map(|(name, key, table)| (name, (key, table))).collect();
    // A function that exists in this environment alone has a path; without one, it was reported as a slip.
    for (name, (key, table)) in over.iter().filter(|(_, (_, table))| table.get("path").is_some()) {
        layers.entry(name.clone()).or_insert_with(|| Layered { name: name.clone(), key: key.clone(), table: table.clone() });
    }
    for layered in layers.values_mut() {
        let over = over.get(&layered.name).map(|(_, table)| table);
        let path = over.and_then(|table| table.get("path")).or_else(|| layered.table.get("path"));
        let path = path.and_then(|node| leaf::path(&node.value).ok());
        if let Some(own) = path.and_then(|path| function_file(sources, &path, files, problems)) {
            layered.table.merge(own);
        }
        if let Some(over) = over {
            layered.table.merge(over.clone());
        }
    }
    layers.into_values().collect()
}

/// The function's own file, if its folder has one.
fn function_file(sources: &mut Sources, path: &str, files: &dyn Files, problems: &mut Vec<Problem>) -> Option<Table> {
    let name = format!("{}/{FUNCTION_FILE_NAME}", path.trim_end_matches('/'));
    if files.found(&name) != Found::File {
        return None;
    }
    let shown = sources.beside_first(&name);
    let read = match files.read(&name) {
        Ok(text) => read_table(sources, &shown, &text),
        Err(error) => Err(vec![Problem::new(Code::E0102, format!("{shown} can't be read: {error}"))]),
    };
    match read {
        Err(found) => {
            problems.extend(found);
            None
        }
        Ok(mut table) => {
            problems.extend(check::table(sources, grammar::function_file(), &table, ""));
            table.0.retain(|(key, _)| key.name != "path");
            Some(table)
        }
    }
}

/// How old a signed time may be unless the manifest says otherwise.
const WEBHOOK_TOLERANCE: std::time::Duration = std::time::Duration::from_secs(5 * 60);

struct Maker<'a> {
    sources: &'a Sources,
    files: &'a dyn Files,
    problems: Vec<Problem>,
    origins: Origins,
}

impl Maker<'_> {
    fn app(&mut self, root: &Table, env: &EnvName, own_env: Option<&Table>, layers: &[Layered]) -> Option<Loaded> {
        let name =
            self.required(root, "app", &format!(" in {}", self.sources.first()), None, "app = \"shop\"").and_then(|node| {
                self.origins.written(self.sources, "app".into(), print(node), node.at);
                leaf::app(&node.value).ok()
            });
        self.origins.found("env".into(), leaf::quote(env.as_str()), "the environment that was asked for");
        let since = self.optional(root, "", "since", leaf::date);
        let domain = own_env.and_then(|table| self.optional(table, "", "domain", leaf::domain));
        let asked = root.table("fn").is_some_and(|functions| !functions.0.is_empty());
        let tables = settings::merged(root, own_env);
        if layers.is_empty()
            && !asked
            && tables.get("site").is_none()
            && !matches!(root.get("fn"), Some(node) if !matches!(node.value, Value::Table(_)))
        {
            let problem = Problem::new(Code::E0106, format!("{} has no function: there is nothing to run", self.sources.first()));
            self.problems.push(problem.note("a function is a table with a name and a path").help("[fn.api]"));
        }
        let functions: BTreeMap<_, _> =
            layers.iter().filter_map(|layered| Some((layered.name.clone(), self.function(layered)?))).collect();
        self.problems.extend(routes::conflicts(self.sources, &placed(layers)));
        let mut named = settings::named(root);
        named.extend(layers.iter().flat_map(|layered| settings::of_function(&layered.table)));
        let Self { sources, files, problems, origins } = self;
        let mut reader = settings::Reader { sources, files: *files, problems, origins };
        let (resources, site, events) = (reader.resources(&tables, &named), reader.site(&tables), reader.events(&tables));
        let app = App { since, domain, functions, resources, site, events, ..App::empty(name?, env.clone()) };
        Some(Loaded { app, origins: std::mem::take(&mut self.origins) })
    }

    fn function(&mut self, Layered { name, key, table }: &Layered) -> Option<Function> {
        let prefix = format!("fn.{name}.");
        let node = self.required(table, "path", &format!(" in [fn.{name}]"), Some(key.at), "path = \"api\"");
        let path = node.and_then(|node| {
            self.origins.written(self.sources, format!("{prefix}path"), print(node), node.at);
            Some((leaf::path(&node.value).ok()?, node.at))
        });
        let build = path.as_ref().and_then(|(path, at)| self.build(&prefix, path, *at));
        let routes = self.list(table, &prefix, "route", leaf::route, "default: none, so only `dayfly invoke` starts it");
        let on = self.on(name, table);
        let uses = self.list(table, &prefix, "uses", leaf::grant, "default: nothing is granted unless it is named");
        let reach = self.list(table, &prefix, "reach", leaf::reach, "default: no host may be called unless it is named");
        let env = self.variables(table, &prefix);
        let limits = self.limits(table, &prefix);
        let record = self.optional(table, &prefix, "record", leaf::record);
        if record.is_none() {
            let value = leaf::quote(&RecordMode::default().to_string());
            self.origins.found(
                format!("{prefix}record"),
                value,
                "default: journals of failures are kept, so that they can be replayed",
            );
        }
        let record = record.unwrap_or_default();
        let (effects, request_effects) = self.effects(table, &prefix, on.is_some());
        let webhook = self.webhook(name, table, &prefix);
        Some(Function {
            routes,
            on,
            uses,
            reach,
            env,
            limits,
            effects,
            request_effects,
            webhook,
            record,
            ..Function::empty(name.clone(), path?.0, build?)
        })
    }

    fn on(&mut self, function: &FunctionName, table: &Table) -> Option<On> {
        let (key, node) = table.entry("on")?;
        let Value::Table(table) = &node.value else { return None };
        let Self { sources, problems, origins, .. } = self;
        on::Reader { sources, function, problems, origins }.read(key, table)
    }

    /// The effects of events, or of requests if nothing else starts the function; and those of requests beside events.
    fn effects(&mut self, table: &Table, prefix: &str, on: bool) -> (Effects, Effects) {
        let of = |word| if word == "atomic" { Effects::Atomic } else { Effects::Immediate };
        match self.optional(table, prefix, "effects", |value| leaf::word(&leaf::EFFECTS, value)) {
            Some(word) => (of(word), of(word)),
            None if on => {
                let reason = "default: what events cause happens with their success; what requests cause, at once";
                self.origins.found(format!("{prefix}effects"), leaf::quote("atomic"), reason);
                (Effects::Atomic, Effects::Immediate)
            }
            None => {
                self.origins.found(
                    format!("{prefix}effects"),
                    leaf::quote("immediate"),
                    "default: what requests cause happens at once",
                );
                (Effects::Immediate, Effects::Immediate)
            }
        }
    }

    fn webhook(&mut self, function: &FunctionName, table: &Table, prefix: &str) -> Option<Webhook> {
        let (key, node) = table.entry("webhook")?;
        let Value::Table(own) = &node.value else { return None };
        let (prefix, place) = (format!("{prefix}webhook."), format!(" in [fn.{function}.webhook]"));
        let header = self.required(own, "header", &place, Some(key.at), "header = \"x-hub-signature-256\"").is_some();
        let secret = self.required(own, "secret", &place, Some(key.at), "secret = \"SIGNING_KEY\"").is_some();
        if table.get("route").is_none() {
            let problem = Problem::new(Code::E0113, format!("[fn.{function}] checks signatures, and no request starts it"));
            self.problems.push(problem.at(self.sources.place(key.at)).help("route = \"POST /hooks\""));
        }
        let word = |words| move |value: &Value| leaf::word(words, value);
        let algorithm = self.optional(own, &prefix, "algorithm", word(&leaf::ALGORITHM));
        let encoding = self.optional(own, &prefix, "encoding", word(&leaf::ENCODING));
        let webhook = Webhook {
            header: self.optional(own, &prefix, "header", leaf::header).unwrap_or_default(),
            secret: self.optional(own, &prefix, "secret", |value| leaf::name(ResourceKind::Secret, value)).unwrap_or_default(),
            algorithm: match algorithm {
                Some("sha512") => WebhookHash::Sha512,
                Some("sha1") => WebhookHash::Sha1,
                _ => WebhookHash::Sha256,
            },
            encoding: if encoding == Some("base64") { WebhookEncoding::Base64 } else { WebhookEncoding::Hex },
            prefix: self.optional(own, &prefix, "prefix", leaf::prefix).unwrap_or_default(),
            timestamp: self.optional(own, &prefix, "timestamp", leaf::header),
            tolerance: self
                .optional(own, &prefix, "tolerance", |value| leaf::span(&leaf::TOLERANCE, value))
                .unwrap_or(WEBHOOK_TOLERANCE),
        };
        (header && secret).then_some(webhook)
    }

    fn build(&mut self, prefix: &str, path: &str, at: At) -> Option<types::Build> {
        match code::detect(path, self.files) {
            Ok((build, reason)) => {
                let value = match build {
                    types::Build::Component => "component",
                    types::Build::Cargo => "cargo",
                    types::Build::Script => "script",
                };
                self.origins.found(format!("{prefix}build"), leaf::quote(value), reason);
                Some(build)
            }
            Err(problem) => {
                self.problems.push(problem.at(self.sources.place(at)));
                None
            }
        }
    }

    fn limits(&mut self, table: &Table, prefix: &str) -> Limits {
        let empty = Table::default();
        let own = table.table("limits").unwrap_or(&empty);
        let prefix = format!("{prefix}limits.");
        let default = Limits::default();
        let memory = self.optional(own, &prefix, "memory", leaf::memory);
        self.default_limit(memory.is_none(), &prefix, "memory", leaf::quote(&leaf::print_size(&default.memory)));
        let time = self.optional(own, &prefix, "time", leaf::time);
        self.default_limit(time.is_none(), &prefix, "time", leaf::quote(&leaf::print_duration(&default.time)));
        let concurrency = self.optional(own, &prefix, "concurrency", leaf::concurrency);
        self.default_limit(concurrency.is_none(), &prefix, "concurrency", default.concurrency.to_string());
        Limits {
            memory: memory.unwrap_or(default.memory),
            time: time.unwrap_or(default.time),
            concurrency: concurrency.unwrap_or(default.concurrency),
        }
    }

    fn default_limit(&mut self, is_default: bool, prefix: &str, name: &str, value: String) {
        if is_default {
            self.origins.found(format!("{prefix}{name}"), value, "default: the platform's limit for every function");
        }
    }

    fn variables(&mut self, table: &Table, prefix: &str) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for (key, node) in table.table("env").into_iter().flat_map(|variables| &variables.0) {
            if let Ok(value) = leaf::variable(&node.value) {
                self.origins.written(self.sources, format!("{prefix}env.{}", key.name), print(node), node.at);
                variables.insert(key.name.clone(), value);
            }
        }
        variables
    }

    fn list<T>(
        &mut self,
        table: &Table,
        prefix: &str,
        name: &str,
        read: fn(&Value) -> Result<T, leaf::Refusal>,
        default: &str,
    ) -> Vec<T> {
        let key = format!("{prefix}{name}");
        let Some(node) = table.get(name) else {
            self.origins.found(key, "[]".into(), default);
            return Vec::new();
        };
        self.origins.written(self.sources, key, print(node), node.at);
        items(node).iter().filter_map(|item| read(&item.value).ok()).collect()
    }

    fn optional<T>(
        &mut self,
        table: &Table,
        prefix: &str,
        name: &str,
        read: impl Fn(&Value) -> Result<T, leaf::Refusal>,
    ) -> Option<T> {
        let node = table.get(name)?;
        let value = read(&node.value).ok()?;
        self.origins.written(self.sources, format!("{prefix}{name}"), print(node), node.at);
        Some(value)
    }

    fn required<'t>(&mut self, table: &'t Table, name: &str, place: &str, at: Option<At>, example: &str) -> Option<&'t Node> {
        let node = table.get(name);
        if node.is_none() {
            let mut problem = Problem::new(Code::E0106, format!("the key `{name}` is missing{place}")).help(example);
            problem.place = at.map(|at| self.sources.place(at));
            self.problems.push(problem);
        }
        node
    }
}

/// The items of a list, or the one value that stands for a list of one.
fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// All routes of the app that can be read, in the order of functions and lines.
fn placed(layers: &[Layered]) -> Vec<Placed<'_>> {
    let of = |layered: &'_ Layered| layered.table.get("route").map(items).unwrap_or_default().to_vec();
    let read = |function, node: Node| Some(Placed { route: leaf::route(&node.value).ok()?, function, at: node.at });
    layers.iter().flat_map(|layered| of(layered).into_iter().filter_map(|node| read(&layered.name, node))).collect()
}
