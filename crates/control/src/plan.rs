//! What a deployment would change, worked out from the models alone: no store is asked and nothing is touched.

use std::collections::{BTreeMap, BTreeSet};

use types::{
    App, Digest, Elapsed, Function, FunctionName, Resource, Revision, RevisionNumber,
    app::Access,
    wire::api::{Artifact, Change, FunctionPlan, Permission, PermissionKind, Plan, ResourcePlan, Setting},
};

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
}

/// Compares what is to be served with what is.
pub(crate) fn plan(planned: Planned<'_>) -> Plan {
    let Planned { base, latest, app, artifacts, missing } = planned;
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
    let unchanged = base.is_some_and(|revision| revision.app == *app) && functions.iter().all(|f| f.change == Change::Same);
    let next = RevisionNumber(latest.map_or(1, |latest| latest.0 + 1));
    Plan {
        app: app.name.clone(),
        env: app.env.clone(),
        base: base.map(|revision| revision.number),
        latest,
        revision: base.filter(|_| unchanged).map_or(next, |revision| revision.number),
        functions,
        resources: resources(before.values(), app.functions.values()),
        gained: wanted.difference(&held).cloned().collect(),
        lost: held.difference(&wanted).cloned().collect(),
        domain,
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
        code_changed,
        bytes: code.after.map(|artifact| artifact.bytes),
        routes: new.to_vec(),
        routes_added: new.iter().filter(|route| !old.contains(route)).cloned().collect(),
        routes_removed: old.iter().filter(|route| !new.contains(route)).cloned().collect(),
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

fn used<'a>(functions: impl Iterator<Item = &'a Function>) -> BTreeSet<&'a Resource> {
    functions.flat_map(|function| &function.uses).map(|grant| &grant.resource).collect()
}

fn resources<'a>(before: impl Iterator<Item = &'a Function>, after: impl Iterator<Item = &'a Function>) -> Vec<ResourcePlan> {
    let (before, after) = (used(before), used(after));
    let of = |change| move |resource: &&Resource| ResourcePlan { resource: (*resource).clone(), change };
    let added = after.difference(&before).map(of(Change::Added));
    added.chain(before.difference(&after).map(of(Change::Removed))).collect()
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
    uses.chain(reach)
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
        Revision { number: RevisionNumber(4), app: app.clone(), artifacts, parts: Parts::default(), created: Timestamp::default() }
    }

    /// The parts of a plan that say something, one line each.
    fn check(base: Option<&Revision>, app: &App, seed: u8, expect: &Expect) {
        let latest = base.map(|_| RevisionNumber(6));
        let plan = plan(Planned { base, latest, app, artifacts: &artifacts(app, seed), missing: vec![] });
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
