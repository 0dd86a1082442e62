//! What a deployment would change, worked out from the models alone: no store is asked and nothing is touched.

use std::collections::{BTreeMap, BTreeSet};

use types::{
    App, Digest, Elapsed, Function, FunctionName, Resource, Revision, RevisionNumber,
    app::Access,
    trigger::{Effects, On, Rules, Source},
    wire::api::{
        Artifact, Change, CodeKind, FunctionPlan, MigrationPlan, Permission, PermissionKind, Plan, ResourcePlan, Setting,
        SitePlan, TriggerPlan,
    },
};

use crate::resources;

/// What a plan is made from.
pub(crate) struct Planned<'a> {
    /// The revision that is served, if one is.
    pub(crate) base: Option<&'a Revision>,
    /// The newest revision's number, if there is one.
    pub(crate) latest: Option<RevisionNumber>,
    /// The model to be served.
    pub(crate) app: &'a App,
    /// Its code.
    pub(crate) artifacts: &'a BTreeMap<FunctionName, Artifact>,
    /// Artifacts of it that are not stored yet.
    pub(crate) missing: Vec<Digest>,
    /// What was found out from the stores.
    pub(crate) found: Found,
}

/// What the stores say that concerns a plan.
#[derive(Default)]
pub(crate) struct Found {
    /// Resources that cease to be named, and what each holds.
    pub(crate) removed: Vec<(Resource, Option<String>)>,
    /// Migrations that were not applied yet.
    pub(crate) pending: Vec<MigrationPlan>,
    /// Whether the migrations are others than those of the served revision.
    pub(crate) migrations_changed: bool,
    /// What changes of the site.
    pub(crate) site: Option<SitePlan>,
    /// Secrets that are used and not set.
    pub(crate) unset: Vec<String>,
}

/// Compares what is to be served with what is.
pub(crate) fn plan(planned: Planned<'_>) -> Plan {
    let Planned { base, latest, app, artifacts, missing, found } = planned;
    let Found { removed, pending, migrations_changed, site, unset } = found;
    let none = BTreeMap::new();
    let before = base.map_or(&none, |revision| &revision.app.functions);
    let names: BTreeSet<&FunctionName> = before.keys().chain(app.functions.keys()).collect();
    let functions: Vec<FunctionPlan> = names
        .into_iter()
        .map(|name| {
            let code = Code { before: base.and_then(|revision| revision.artifacts.get(name)), after: artifacts.get(name) };
            function(name, before.get(name), app.functions.get(name), code)
        })
        .collect();
    let (held, wanted) = (permissions(before.values()), permissions(app.functions.values()));
    let domain = changed("domain", base.and_then(|revision| revision.app.domain.clone()), app.domain.clone());
    let same = base.is_some_and(|revision| revision.app == *app) && functions.iter().all(|f| f.change == Change::Same);
    let unchanged = same && pending.is_empty() && !migrations_changed && !site.is_some_and(|site| site.is_changed());
    let next = RevisionNumber(latest.map_or(1, |latest| latest.0 + 1));
    Plan {
        app: app.name.clone(),
        env: app.env.clone(),
        base: base.map(|revision| revision.number),
        latest,
        revision: base.filter(|_| unchanged).map_or(next, |revision| revision.number),
        functions,
        triggers: triggers(before, &app.functions),
        resources: resources(base.map(|revision| &revision.app), app, removed),
        migrations: pending,
        site,
        unset,
        gained: wanted.difference(&held).cloned().collect(),
        lost: held.difference(&wanted).cloned().collect(),
        domain,
        settings: app_settings(base.map(|revision| &revision.app), app),
        missing,
        unchanged,
    }
}

struct Code<'a> {
    before: Option<&'a Digest>,
    after: Option<&'a Artifact>,
}

fn function(name: &FunctionName, before: Option<&Function>, after: Option<&Function>, code: Code<'_>) -> FunctionPlan {
    let code_changed = code.after.is_some_and(|artifact| Some(&artifact.digest) != code.before);
    let change = match (before, after) {
        (None, _) => Change::Added,
        (Some(_), None) => Change::Removed,
        (Some(before), Some(after)) if before == after && !code_changed => Change::Same,
        (Some(_), Some(_)) => Change::Changed,
    };
    let old = before.map_or(&[][..], |function| &function.routes);
    let new = after.map_or(&[][..], |function| &function.routes);
    FunctionPlan {
        name: name.clone(),
        change,
        kind: after.map(CodeKind::of),
        code_changed,
        bytes: code.after.map(|artifact| artifact.bytes),
        routes: new.to_vec(),
        routes_added: new.iter().filter(|route| !old.contains(route)).cloned().collect(),
        routes_removed: old.iter().filter(|route| !new.contains(route)).cloned().collect(),
        on: after.and_then(|function| function.on.as_ref()).map(|on| on.source.to_string()),
        settings: settings(before, after),
    }
}

/// Limits, recording and environment variables that differ. Values of variables may be secret, so only that they differ is said.
fn settings(before: Option<&Function>, after: Option<&Function>) -> Vec<Setting> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let text = |function: &Function| {
        let limits = function.limits;
        [
            ("memory", limits.memory.to_string()),
            ("time", Elapsed::from(limits.time).to_string()),
            ("concurrency", limits.concurrency.to_string()),
            ("record", function.record.to_string()),
            ("effects", effects(function)),
            ("webhook", function.webhook.as_ref().map_or_else(|| "none".to_owned(), |webhook| webhook.header.clone())),
        ]
    };
    let fixed =
        text(before).into_iter().zip(text(after)).filter_map(|((name, old), (_, new))| changed(name, Some(old), Some(new)));
    let names: BTreeSet<&String> = before.env.keys().chain(after.env.keys()).collect();
    let variables = names.into_iter().filter(|name| before.env.get(*name) != after.env.get(*name)).map(|name| Setting {
        name: format!("env.{name}"),
        before: before.env.get(name).map(|_| "set".to_owned()),
        after: after.env.get(name).map(|_| "set".to_owned()),
    });
    fixed.chain(variables).collect()
}

fn changed(name: &str, before: Option<String>, after: Option<String>) -> Option<Setting> {
    (before != after).then(|| Setting { name: name.to_owned(), before, after })
}

/// The effects of events and of requests, as far as there are both.
fn effects(function: &Function) -> String {
    let word = |effects| if effects == Effects::Atomic { "atomic" } else { "immediate" };
    match &function.on {
        Some(_) if !function.routes.is_empty() && function.effects != function.request_effects => {
            format!("{}, of requests {}", word(function.effects), word(function.request_effects))
        }
        _ => word(function.effects).to_owned(),
    }
}

fn triggers(before: &BTreeMap<FunctionName, Function>, after: &BTreeMap<FunctionName, Function>) -> Vec<TriggerPlan> {
    let text = |on: &On| {
        let Rules { batch, wait, retries, dead } = &on.rules;
        let wait = if wait.is_zero() { String::new() } else { format!(", wait {}", Elapsed::from(*wait)) };
        format!("{}; batch {batch}{wait}, retries {retries}, dead letters to {dead}", on.source)
    };
    let of = |functions: &BTreeMap<FunctionName, Function>, name: &FunctionName| {
        functions.get(name).and_then(|function| function.on.clone())
    };
    let names: BTreeSet<&FunctionName> = before.keys().chain(after.keys()).collect();
    let plan = |name: &FunctionName| {
        let (before, after) = (of(before, name), of(after, name));
        let change = match (&before, &after) {
            (None, None) => return None,
            (before, after) if before == after => return None,
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Removed,
            (Some(_), Some(_)) => Change::Changed,
        };
        Some(TriggerPlan { function: name.clone(), change, before: before.as_ref().map(text), after: after.as_ref().map(text) })
    };
    names.into_iter().filter_map(plan).collect()
}

/// What is set of resources, the site and the way in for events, where it changes.
fn app_settings(before: Option<&App>, after: &App) -> Vec<Setting> {
    let (before, after) = (before.map(set).unwrap_or_default(), set(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter_map(|name| changed(name, before.get(name).cloned(), after.get(name).cloned())).collect()
}

fn set(app: &App) -> BTreeMap<String, String> {
    let mut set = BTreeMap::new();
    let mut put = |name: String, value: Option<String>| {
        if let Some(value) = value {
            set.insert(name, value);
        }
    };
    let time = |time: Option<std::time::Duration>| time.map(|time| Elapsed::from(time).to_string());
    let types::settings::Resources { kv, sql, bucket, queue, stream } = &app.resources;
    kv.iter().for_each(|(name, kv)| put(format!("kv.{name}.expire"), time(kv.expire)));
    sql.iter().for_each(|(name, sql)| put(format!("sql.{name}.migrations"), sql.migrations.clone()));
    for (name, bucket) in bucket {
        put(format!("bucket.{name}.versioning"), bucket.versioning.then(|| "true".to_owned()));
        put(format!("bucket.{name}.expire"), time(bucket.expire));
        put(format!("bucket.{name}.cors"), (!bucket.cors.is_empty()).then(|| bucket.cors.join(", ")));
    }
    queue.iter().for_each(|(name, queue)| put(format!("queue.{name}.retention"), time(queue.retention)));
    for (name, stream) in stream {
        put(format!("stream.{name}.partitions"), stream.partitions.map(|partitions| partitions.to_string()));
        put(format!("stream.{name}.retention"), time(stream.retention));
    }
    if let Some(site) = &app.site {
        put("site.fallback".to_owned(), site.fallback.clone());
    }
    if let Some(events) = &app.events {
        put("events.key".to_owned(), Some(events.key.clone()));
        put("events.bus".to_owned(), Some(events.bus.clone()));
    }
    set
}

fn resources(before: Option<&App>, after: &App, removed: Vec<(Resource, Option<String>)>) -> Vec<ResourcePlan> {
    let (before, after) = (before.map(resources::of).unwrap_or_default(), resources::of(after));
    let holds =
        |resource: &Resource| removed.iter().find(|(removed, _)| removed == resource).and_then(|(_, holds)| holds.clone());
    let of = |change| move |resource: &Resource| ResourcePlan { resource: resource.clone(), change, holds: None };
    let gone = |resource: &Resource| ResourcePlan { resource: resource.clone(), change: Change::Removed, holds: holds(resource) };
    after.difference(&before).map(of(Change::Added)).chain(before.difference(&after).map(gone)).collect()
}

fn permissions<'a>(functions: impl Iterator<Item = &'a Function>) -> BTreeSet<Permission> {
    functions.flat_map(of_function).collect()
}

fn of_function(function: &Function) -> impl Iterator<Item = Permission> {
    let permission = |what: String, kind| Permission { function: function.name.clone(), what, kind };
    let uses = function.uses.iter().flat_map(move |grant| {
        let write = (grant.access == Access::ReadWrite).then_some(PermissionKind::Write);
        [Some(PermissionKind::Read), write].into_iter().flatten().map(move |kind| permission(grant.resource.to_string(), kind))
    });
    let reach = function.reach.iter().map(move |reach| permission(reach.to_string(), PermissionKind::Outbound));
    let on = function.on.as_ref().and_then(|_| resources::of_trigger(function).into_iter().next());
    // A schedule starts a function and tells it nothing.
    let on = on.filter(|_| !matches!(function.on.as_ref().map(|on| &on.source), Some(Source::Cron { .. })));
    uses.chain(reach).chain(on.map(move |resource| permission(resource.to_string(), PermissionKind::Start)))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use types::{Timestamp, app::Build, revision::Parts};

    use super::*;

    fn function(name: &str, routes: &[&str], uses: &[&str], reach: &[&str]) -> Function {
        Function {
            routes: routes.iter().map(|text| text.parse().expect("a route")).collect(),
            uses: uses.iter().map(|text| text.parse().expect("a grant")).collect(),
            reach: reach.iter().map(|text| text.parse().expect("a place")).collect(),
            ..Function::empty(name.parse().expect("a name"), name.into(), Build::Component)
        }
    }

    fn app(functions: Vec<Function>) -> App {
        let functions = functions.into_iter().map(|function| (function.name.clone(), function)).collect();
        App { functions, ..App::empty("hello".parse().expect("a name"), "prod".parse().expect("a name")) }
    }

    fn artifacts(app: &App, seed: u8) -> BTreeMap<FunctionName, Artifact> {
        let artifact = Artifact { digest: Digest::from_bytes([seed; 32]), bytes: 72_704 };
        app.functions.keys().map(|name| (name.clone(), artifact)).collect()
    }

    fn deployed(app: &App, seed: u8) -> Revision {
        let artifacts = artifacts(app, seed).into_iter().map(|(name, artifact)| (name, artifact.digest)).collect();
        Revision {
            number: RevisionNumber(4),
            app: app.clone(),
            artifacts,
            parts: Parts::default(),
            created: Timestamp::default(),
        }
    }

    /// The parts of a plan that say something, one line each.
    fn check(base: Option<&Revision>, app: &App, seed: u8, expect: &Expect) {
        let latest = base.map(|_| RevisionNumber(6));
        let plan =
            plan(Planned { base, latest, app, artifacts: &artifacts(app, seed), missing: vec![], found: Found::default() });
        let mut lines = vec![format!("{}/{} r{} unchanged {}", plan.app, plan.env, plan.revision, plan.unchanged)];
        let texts = |routes: &[types::Route]| routes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        for f in plan.functions {
            let (added, removed) = (texts(&f.routes_added), texts(&f.routes_removed));
            lines.push(format!("{:?} {} code {} {:?} +[{added}] -[{removed}]", f.change, f.name, f.code_changed, f.bytes));
            lines.extend(f.settings.iter().map(|s| format!("  {} {:?} -> {:?}", s.name, s.before, s.after)));
        }
        lines.extend(plan.resources.iter().map(|r| format!("{:?} {}", r.change, r.resource)));
        lines.extend(plan.gained.iter().map(|p| format!("gained {} {:?} {}", p.function, p.kind, p.what)));
        lines.extend(plan.lost.iter().map(|p| format!("lost {} {:?} {}", p.function, p.kind, p.what)));
        expect.assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn a_first_deployment_adds_everything_and_gains_every_permission() {
        let app = app(vec![function("api", &["GET /{name}"], &["kv.cache"], &["https://api.github.com"])]);
        check(
            None,
            &app,
            1,
            &expect![[r#"
                hello/prod r1 unchanged false
                Added api code true Some(72704) +[GET /{name}] -[]
                Added kv.cache
                gained api Outbound https://api.github.com
                gained api Read kv.cache
                gained api Write kv.cache
            "#]],
        );
    }

    #[test]
    fn a_script_is_planned_as_what_it_is_and_by_what_it_is_granted() {
        let mut api = function("api", &["GET /"], &["kv.cache:read"], &[]);
        (api.path, api.build) = ("src/api.ts".into(), Build::Script);
        let kind = |base: Option<&Revision>, app: &App| {
            let artifacts = artifacts(app, 1);
            let found = Found::default();
            let plan = plan(Planned { base, latest: None, app, artifacts: &artifacts, missing: vec![], found });
            assert_eq!(plan.gained.len(), usize::from(base.is_none()), "all that is gained is what the manifest grants");
            plan.functions.iter().map(|function| function.kind).collect::<Vec<_>>()
        };
        let typed = app(vec![api.clone()]);
        assert_eq!(kind(None, &typed), [Some(CodeKind::Typescript)]);
        let mut plain = app(vec![Function { path: "api.mjs".into(), name: "web".parse().expect("a name"), uses: vec![], ..api }]);
        assert_eq!(kind(Some(&deployed(&typed, 1)), &plain), [None, Some(CodeKind::Javascript)]);
        plain.functions.values_mut().for_each(|function| function.build = Build::Cargo);
        assert_eq!(kind(Some(&deployed(&typed, 1)), &plain), [None, Some(CodeKind::Component)]);
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let app = app(vec![function("api", &["GET /"], &["kv.cache:read"], &[])]);
        check(
            Some(&deployed(&app, 1)),
            &app,
            1,
            &expect![[r#"
                hello/prod r4 unchanged true
                Same api code false Some(72704) +[] -[]
            "#]],
        );
    }

    #[test]
    fn changes_name_what_is_gained_lost_and_set() {
        let before = app(vec![
            function("api", &["GET /"], &["kv.cache:read", "kv.old"], &["https://a.example"]),
            function("gone", &["/gone"], &[], &[]),
        ]);
        let mut api = function("api", &["GET /", "POST /"], &["kv.cache"], &["https://*.example"]);
        api.limits.memory = types::ByteCount::mib(64);
        api.record = types::RecordMode::All;
        api.env.insert("KEY".into(), "value that must not be shown".into());
        check(
            Some(&deployed(&before, 1)),
            &app(vec![api, function("new", &["/new"], &[], &[])]),
            2,
            &expect![[r#"
                hello/prod r7 unchanged false
                Changed api code true Some(72704) +[POST /] -[]
                  memory Some("128 MiB") -> Some("64 MiB")
                  record Some("errors") -> Some("all")
                  env.KEY None -> Some("set")
                Removed gone code false None +[] -[/gone]
                Added new code true Some(72704) +[/new] -[]
                Removed kv.old
                gained api Outbound https://*.example
                gained api Write kv.cache
                lost api Outbound https://a.example
                lost api Read kv.old
                lost api Write kv.old
            "#]],
        );
    }
}
