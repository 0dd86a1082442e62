//! `dayfly deploy`: build, show the plan, ask, deploy.

use types::{
    Code, Problem,
    wire::api::{Change, Deployed, FunctionPlan, MigrationPlan, PermissionKind, Plan, ResourcePlan, SitePlan, TriggerPlan},
};

use crate::{
    Context,
    args::Deploy,
    build::Scripts,
    exit::Result,
    print,
    project::{self, Project},
    render::text,
};

pub(crate) async fn run(context: &Context, args: &Deploy) -> Result {
    let printer = context.printer;
    let client = context.client()?;
    let env = project::env(args.env.as_deref(), client.target())?;
    let mut project = Project::build(&args.dir, &env, &Scripts::default(), |name, built| {
        printer.note(format!(" build  {name}   {}   {}", built.summary(), print::took(built.took)));
    })
    .await?;
    project.drop.clone_from(&args.drop);
    project.keep.clone_from(&args.keep);
    let plan = project.plan(&client).await?;
    if args.plan {
        return Ok(printer.data(&plan, |plan| show(plan, &client.target().url))?);
    }
    if plan.unchanged {
        // There is nothing to ask about and nothing to upload; the answer is in the form of every deployment.
        let (deployed, _) = project.deploy(&client, &plan).await?;
        done(&deployed).into_iter().for_each(|line| printer.note(line));
        return Ok(printer.data(&deployed, |deployed| show(&deployed.plan, &client.target().url))?);
    }
    printer.note(show(&plan, &client.target().url));
    if !args.drop.is_empty() {
        let names: Vec<String> = args.drop.iter().map(ToString::to_string).collect();
        printer.note(format!(" data deleted for good: {}", names.join(", ")));
    }
    if !args.yes && !confirmed()? {
        return Err(Problem::new(Code::E0707, "not deployed").into());
    }
    let uploaded = project.upload(&client, &plan).await?;
    let (deployed, took) = project.deploy(&client, &plan).await?;
    printer.note(format!(
        " upload {} · verify {} · live in {}",
        print::took(uploaded),
        text::span(deployed.prepare_ns),
        print::took(took),
    ));
    done(&deployed).into_iter().for_each(|line| printer.note(line));
    Ok(printer.data(&deployed, |deployed: &Deployed| deployed.urls.first().cloned().unwrap_or_default())?)
}

/// What scripts said and what was done to data, one line each.
fn done(deployed: &Deployed) -> Vec<String> {
    let migrated = deployed
        .migrated
        .iter()
        .map(|MigrationPlan { database, names }| format!(" migrated sql.{database}: {}", names.join(", ")));
    // What a script's top-level code said while it was loaded.
    let said = deployed.prepared.iter().filter(|(_, prepared)| !prepared.cached);
    let said = said.flat_map(|(function, prepared)| prepared.logs.iter().map(move |line| (function, line)));
    let said = said.map(|(function, line)| format!(" {function}: {}", text::escaped(line)));
    said.chain(migrated).chain(deployed.dropped.iter().map(|resource| format!(" deleted the data of {resource}"))).collect()
}

/// Asks whether to go on; without a terminal there is nobody to ask, and the flag is named.
fn confirmed() -> Result<bool> {
    if !print::can_ask() {
        let problem = Problem::new(Code::E0707, "the plan was not confirmed, and there is no one to ask");
        return Err(problem.help("dayfly deploy --yes, or --plan to see the plan only").into());
    }
    Ok(print::ask("deploy?")?)
}

/// The plan as people read it.
pub(crate) fn show(plan: &Plan, target: &str) -> String {
    if plan.unchanged {
        return format!("{} → {target} {}   revision {} serves this already", plan.app, plan.env, plan.revision);
    }
    let mut lines = vec![format!("plan   {} → {target} {}   revision {}", plan.app, plan.env, plan.revision)];
    lines.extend(plan.functions.iter().filter(|function| function.change != Change::Same).flat_map(function_lines));
    for trigger in &plan.triggers {
        lines.extend(trigger_lines(trigger));
    }
    for ResourcePlan { resource, change, holds } in &plan.resources {
        let what = match (change, holds) {
            (Change::Added, _) => "new".to_owned(),
            (_, None) => "not used any more".to_owned(),
            (_, Some(holds)) => format!("not used any more, and holds {holds}"),
        };
        lines.push(format!(" {} {:<12} {what}", mark(*change), resource.to_string()));
    }
    lines.extend(
        plan.settings
            .iter()
            .map(|setting| format!(" ~ {:<12} {} → {}", setting.name, or_none(&setting.before), or_none(&setting.after))),
    );
    for MigrationPlan { database, names } in &plan.migrations {
        lines.push(format!(" + migrations of sql.{database}: {}", names.join(", ")));
    }
    if let Some(SitePlan { files, bytes, added, changed, removed }) = plan.site.as_ref().filter(|site| site.is_changed()) {
        let bytes = text::size(*bytes);
        lines.push(format!(" ~ site         {files} files, {bytes}   {added} new, {changed} changed, {removed} removed"));
    }
    if !plan.unset.is_empty() {
        lines.push(format!(" secrets not set: {}", plan.unset.join(", ")));
    }
    if let Some(domain) = &plan.domain {
        lines.push(format!(" ~ domain       {} → {}", or_none(&domain.before), or_none(&domain.after)));
    }
    let permissions = |list: &[types::wire::api::Permission]| {
        let each = list.iter().map(|permission| match permission.kind {
            PermissionKind::Outbound => format!("{}: outbound {}", permission.function, permission.what),
            PermissionKind::Read => format!("{}: read {}", permission.function, permission.what),
            PermissionKind::Write => format!("{}: write {}", permission.function, permission.what),
            PermissionKind::Start => format!("{}: started by {}", permission.function, permission.what),
        });
        each.collect::<Vec<_>>().join(", ")
    };
    if !plan.gained.is_empty() {
        lines.push(format!(" permissions gained: {}", permissions(&plan.gained)));
    }
    if !plan.lost.is_empty() {
        lines.push(format!(" permissions lost: {}", permissions(&plan.lost)));
    }
    lines.join("\n")
}

fn function_lines(function: &FunctionPlan) -> Vec<String> {
    let size = function.bytes.map(text::size).unwrap_or_default();
    let code = if function.change == Change::Changed && function.code_changed { "new code, " } else { "" };
    let routes: Vec<String> = function.routes.iter().map(ToString::to_string).collect();
    let name = format!("fn.{}", function.name);
    let mut lines =
        vec![format!(" {} {name:<12} {code}{size}   {}", mark(function.change), routes.join(", ")).trim_end().to_owned()];
    let listed =
        |mark: char, routes: &[types::Route]| routes.iter().map(|route| format!("     {mark} route {route}")).collect::<Vec<_>>();
    if function.change == Change::Changed {
        lines.extend(listed('+', &function.routes_added));
        lines.extend(listed('-', &function.routes_removed));
        for setting in &function.settings {
            lines.push(format!("     ~ {} {} → {}", setting.name, or_none(&setting.before), or_none(&setting.after)));
        }
    }
    lines
}

fn trigger_lines(trigger: &TriggerPlan) -> Vec<String> {
    let TriggerPlan { function, change, before, after } = trigger;
    let name = format!("fn.{function}");
    match (before, after) {
        (Some(before), Some(after)) => {
            vec![
                format!(" {} {name:<12} on {before}", mark(Change::Removed)),
                format!(" {} {name:<12} on {after}", mark(Change::Added)),
            ]
        }
        (before, after) => {
            vec![format!(" {} {name:<12} on {}", mark(*change), or_none(if after.is_some() { after } else { before }))]
        }
    }
}

fn mark(change: Change) -> char {
    match change {
        Change::Added => '+',
        Change::Changed => '~',
        Change::Removed => '-',
        Change::Same => ' ',
    }
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("none")
}
