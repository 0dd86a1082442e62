//! `dayfly new`: a new app in a new folder, ready for `dayfly up`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use types::{AppName, Code, Problem};

use crate::{
    Context,
    args::{Lang, New},
    exit::Result,
    project,
};

/// A file of a template: where it goes, and its text with `{{app}}` and `{{since}}` to be filled in.
type Template = (&'static str, &'static str);

/// The code is the example's own, so that what a newcomer gets is what the tests and the benchmark run.
const RUST: &[Template] = &[
    ("dayfly.toml", include_str!("../../templates/rust/dayfly.toml")),
    ("README.md", include_str!("../../templates/rust/README.md")),
    (".gitignore", include_str!("../../templates/rust/gitignore")),
    ("api/Cargo.toml", include_str!("../../../../examples/hello/api/Cargo.toml")),
    ("api/src/lib.rs", include_str!("../../../../examples/hello/api/src/lib.rs")),
];
const WASM: &[Template] = &[
    ("dayfly.toml", include_str!("../../templates/wasm/dayfly.toml")),
    ("README.md", include_str!("../../templates/wasm/README.md")),
    (".gitignore", include_str!("../../templates/rust/gitignore")),
];
/// The date that freezes the platform's behaviour for an app made by this version.
const SINCE: &str = "2026-11-21";

#[derive(Serialize)]
struct Made {
    folder: String,
    files: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &New) -> Result {
    let app: AppName = project::name(&args.name)?;
    let folder = PathBuf::from(app.as_str());
    let mut files = match (&args.wasm, args.lang) {
        (Some(_), _) => WASM,
        (None, Some(Lang::Rust)) => RUST,
        (None, None) if crate::print::can_ask() => asked()?,
        (None, None) => {
            let problem = Problem::new(Code::E0707, "the language is missing, and there is no one to ask");
            return Err(problem.help(format!("dayfly new {app} --lang rust, or --wasm FILE")).into());
        }
    }
    .iter()
    .map(|(path, text)| (folder.join(path), text.replace("{{app}}", app.as_str()).replace("{{since}}", SINCE).into_bytes()))
    .collect::<Vec<_>>();
    if let Some(component) = &args.wasm {
        let unreadable = |error| Problem::new(Code::E0301, format!("cannot read {}: {error}", component.display()));
        files.push((folder.join("api.wasm"), fs::read(component).map_err(unreadable)?));
    }
    empty(&folder)?;
    for (path, bytes) in &files {
        write(path, bytes)?;
    }
    let made = Made { folder: app.to_string(), files: files.iter().map(|(path, _)| path.display().to_string()).collect() };
    Ok(context.printer.data(&made, |Made { folder, files }| {
        let names: Vec<&str> = files.iter().map(|file| file.strip_prefix(&format!("{folder}/")).unwrap_or(file)).collect();
        format!("{folder}/  {}\nnext:   cd {folder} && dayfly up", names.join("  "))
    })?)
}

/// Asks for the language. There is one so far, so the question is only whether to go on.
fn asked() -> Result<&'static [Template]> {
    if crate::print::ask("a Rust component?")? {
        return Ok(RUST);
    }
    Err(Problem::new(Code::E0707, "nothing was made").help("dayfly new NAME --wasm FILE takes any component").into())
}

/// Refuses a folder that holds something.
fn empty(folder: &Path) -> Result<(), Problem> {
    let holds = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file();
    if holds {
        let problem = Problem::new(Code::E0711, format!("{} is there already, and not empty", folder.display()));
        return Err(problem.help("choose another name"));
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let failed = |error| Problem::new(Code::E0601, format!("cannot write {}: {error}", path.display()));
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}
