//! `dayfly types`: declarations of the app's `env`, for editors and for `tsc`.

use serde::Serialize;
use types::EnvName;

use crate::{Context, args::Types, declare, exit::Result, project};

#[derive(Serialize)]
struct Written {
    written: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Types) -> Result {
    let env: EnvName = project::name(&args.env)?;
    let loaded = project::load(&args.dir, &env)?;
    let written = declare::write(&project::folder(&args.dir), &loaded.app)?;
    let written = Written { written: written.iter().map(|path| path.display().to_string()).collect() };
    Ok(context.printer.data(&written, |Written { written }| match written.len() {
        0 => format!("{} and {} are as they should be", declare::FILE, declare::ENV_FILE),
        _ => written.join("\n"),
    })?)
}
