//! `dayfly rollback`: a pointer moves back. Data does not.

use types::{
    Code, Problem, RevisionNumber,
    wire::api::{Rollback as Request, RolledBack},
};

use crate::{Context, args::Rollback, exit::Result, project};

pub(crate) async fn run(context: &Context, args: &Rollback) -> Result {
    let client = context.client()?;
    let env = project::env(args.env.as_deref(), client.target())?;
    let app: types::AppName = match &args.app {
        Some(app) => project::name(app)?,
        None => {
            project::load(".".as_ref(), &env)
                .map_err(|_| Problem::new(Code::E0707, "no app is named, and this folder has none").help("dayfly rollback APP"))?
                .app
                .name
        }
    };
    let request = Request { to: args.revision.map(RevisionNumber) };
    let done: RolledBack = client.post(&format!("/v1/apps/{app}/{env}/rollback"), &request).await?;
    Ok(context.printer.data(&done, |done| {
        let mut text = format!("{app}/{env} serves revision {}", done.revision);
        if let Some(url) = done.urls.first() {
            text += &format!(" at {url}");
        }
        if !done.data_kept.is_empty() {
            let kept: Vec<String> = done.data_kept.iter().map(ToString::to_string).collect();
            text += &format!("\ndata is not rolled back: {}", kept.join(", "));
        }
        text
    })?)
}
