//! `dayfly apps`: what is deployed, and where it answers.

use types::wire::api::AppStatus;

use crate::{Context, exit::Result, print};

pub(crate) async fn run(context: &Context) -> Result {
    let apps: Vec<AppStatus> = context.client()?.get("/v1/apps").await?;
    Ok(context.printer.data(&apps, |apps| {
        if apps.is_empty() {
            return "nothing is deployed: dayfly deploy".into();
        }
        let head = ["app", "env", "revision", "functions", "url"].map(str::to_owned).to_vec();
        print::table(&std::iter::once(head).chain(apps.iter().map(row)).collect::<Vec<_>>())
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
