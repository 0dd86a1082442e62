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
    declare,
    exit::Result,
    project,
};

/// A file of a template: where it goes, and its text with `{{app}}` and `{{since}}` to be filled in.
type Template = (&'static str, &'static str);

/// The code is the examples' own where there is one, so that what a newcomer gets is what the tests and the benchmark run.
const JS: &[Template] = &[
    ("dayfly.toml", include_str!("../../templates/js/dayfly.toml")),
    ("api.js", include_str!("../../../../examples/hello-js/api.js")),
    (".gitignore", include_str!("../../templates/js/gitignore")),
];
const TS: &[Template] = &[
    ("dayfly.toml", include_str!("../../templates/ts/dayfly.toml")),
    ("api.ts", include_str!("../../templates/ts/api.ts")),
    ("tsconfig.json", include_str!("../../templates/ts/tsconfig.json")),
    (".gitignore", include_str!("../../templates/js/gitignore")),
];
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
    let lang = if args.ts { Lang::Ts } else { args.lang.unwrap_or(Lang::Js) };
    let templates = match (&args.wasm, lang) {
        (Some(_), _) => WASM,
        (None, Lang::Js) => JS,
        (None, Lang::Ts) => TS,
        (None, Lang::Rust) => RUST,
    };
    let filled = |text: &str| text.replace("{{app}}", app.as_str()).replace("{{since}}", SINCE).into_bytes();
    let mut files: Vec<_> = templates.iter().map(|(path, text)| (folder.join(path), filled(text))).collect();
    if let Some(component) = &args.wasm {
        let unreadable = |error| Problem::new(Code::E0301, format!("cannot read {}: {error}", component.display()));
        files.push((folder.join("api.wasm"), fs::read(component).map_err(unreadable)?));
    }
    empty(&folder)?;
    for (path, bytes) in &files {
        write(path, bytes)?;
    }
    let mut files: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    if args.wasm.is_none() && lang == Lang::Ts {
        let loaded = project::load(&folder, &project::name("dev")?)?;
        files.extend(declare::write(&folder, &loaded.app)?);
    }
    let made = Made { folder: app.to_string(), files: files.iter().map(|path| path.display().to_string()).collect() };
    Ok(context.printer.data(&made, |Made { folder, files }| {
        let names: Vec<&str> = files.iter().map(|file| file.strip_prefix(&format!("{folder}/")).unwrap_or(file)).collect();
        format!("{folder}/  {}\nnext:   cd {folder} && dayfly up", names.join("  "))
    })?)
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
