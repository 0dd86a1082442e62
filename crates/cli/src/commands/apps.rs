//! `dayfly apps`: what is deployed and where it answers, or the revisions of one app.

use types::{
    AppName,
    wire::api::{AppStatus, RevisionStatus},
};

use crate::{Context, args::Apps, exit::Result, print, project};

pub(crate) async fn run(context: &Context, args: &Apps) -> Result {
    if let Some(app) = &args.app {
        return revisions(context, app, args.env.as_deref()).await;
    }
    let apps: Vec<AppStatus> = context.client()?.get("/v1/apps").await?;
    Ok(context.printer.data(&apps, |apps| {
        if apps.is_empty() {
            return "nothing is deployed: dayfly deploy".into();
        }
        let head = ["app", "env", "revision", "functions", "url"].map(str::to_owned).to_vec();
        print::table(&std::iter::once(head).chain(apps.iter().map(row)).collect::<Vec<_>>())
    })?)
}

async fn revisions(context: &Context, app: &str, env: Option<&str>) -> Result {
    let client = context.client()?;
    let (app, env): (AppName, _) = (project::name(app)?, project::env(env, client.target())?);
    let revisions: Vec<RevisionStatus> = client.get(&format!("/v1/apps/{app}/{env}/revisions")).await?;
    Ok(context.printer.data(&revisions, |revisions| {
        let head = ["revision", "deployed", "served", "functions"].map(str::to_owned).to_vec();
        let row = |RevisionStatus { number, created, weight, artifacts }: &RevisionStatus| {
            let functions: Vec<&str> = artifacts.keys().map(types::FunctionName::as_str).collect();
            let served = if *weight > 0 { "yes" } else { "" };
            vec![number.to_string(), created.clone(), served.to_owned(), functions.join(" ")]
        };
        print::table(&std::iter::once(head).chain(revisions.iter().map(row)).collect::<Vec<_>>())
    })?)
}

fn row(app: &AppStatus) -> Vec<String> {
    let shares: Vec<String> = match app.shares.as_slice() {
        [] => vec!["none".into()],
        [only] => vec![only.revision.to_string()],
        many => many.iter().map(|share| format!("{}:{}", share.revision, share.weight)).collect(),
    };
    let functions: Vec<&str> = app.functions.iter().map(|function| function.name.as_str()).collect();
    let url = app.urls.first().cloned().unwrap_or_default();
    vec![app.app.to_string(), app.env.to_string(), shares.join(" "), functions.join(" "), url]
}
