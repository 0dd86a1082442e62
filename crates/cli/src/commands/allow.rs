//! `dayfly allow FUNCTION HOST`: adds a host to a function's `reach`, keeping the manifest's comments.

use std::fs;

use serde::Serialize;
use types::{Code, FunctionName, Problem, Reach};

use crate::{Context, args::Allow, exit::Result, project};

#[derive(Serialize)]
struct Allowed {
    file: String,
    line: u32,
    text: String,
    changed: bool,
}

pub(crate) fn run(context: &Context, args: &Allow) -> Result {
    let function: FunctionName = project::name(&args.function)?;
    let reach: Reach =
        args.host.parse().map_err(|error: types::app::InvalidReach| Problem::new(Code::E0105, error.to_string()))?;
    let file = if args.dir.is_dir() { project::folder(&args.dir).join(manifest::FILE_NAME) } else { args.dir.clone() };
    let shown = file.display().to_string();
    let unreadable = |error| Problem::new(Code::E0101, format!("the manifest at {shown} can't be read: {error}"));
    let source = fs::read_to_string(&file).map_err(unreadable)?;
    let edited = manifest::edit::allow_reach(&source, &shown, &function, &reach)?;
    if edited.changed {
        fs::write(&file, &edited.source)
            .map_err(|error| Problem::new(Code::E0101, format!("the manifest at {shown} can't be written: {error}")))?;
    }
    let allowed = Allowed { file: shown, line: edited.line, text: edited.text, changed: edited.changed };
    Ok(context.printer.data(&allowed, |Allowed { file, line, text, changed }| {
        let mark = if *changed { '+' } else { '=' };
        format!("{file}:{line}  {mark} {text}")
    })?)
}
