//! How a function's code becomes an artifact: found out from what lies at its path.

use types::{Build, Code, Problem};

use crate::files::{Files, Found};

/// What the path holds, with a word on how that was seen.
///
/// # Errors
/// `E0301` if nothing is there, `E0105` if it is nothing that can be built; both name what was found.
pub(crate) fn detect(path: &str, files: &dyn Files) -> Result<(Build, String), Problem> {
    let path = path.trim_end_matches('/');
    let cargo = format!("{path}/Cargo.toml");
    match files.found(path) {
        Found::Nothing => Err(Problem::new(Code::E0301, format!("there is nothing at {path:?}"))
            .note("a path is relative to the manifest's folder")
            .help(CHOICES)),
        Found::File if is_wasm(path) => Ok((Build::Component, format!("detected: {path} is a .wasm file"))),
        Found::File if is_script(path) => Ok((Build::Script, format!("detected: {path} is JavaScript or TypeScript"))),
        Found::File => {
            Err(Problem::new(Code::E0105, format!("{path:?} is a file, but neither a script nor a .wasm")).help(CHOICES))
        }
        Found::Folder if files.found(&cargo) == Found::File => Ok((Build::Cargo, format!("detected: {cargo} exists"))),
        Found::Folder => match script_of(path, files) {
            Some(reason) => Ok((Build::Script, reason)),
            None => Err(no_build(path, files)),
        },
    }
}

/// What a path may name.
const CHOICES: &str = "name a .js or .ts file, a folder with a Cargo.toml or an index.js, or a .wasm file that is a component";

/// How scripts end.
const SCRIPTS: [&str; 6] = [".js", ".mjs", ".jsx", ".ts", ".mts", ".tsx"];

/// The first file of a folder with a script, in words: `main` of its `package.json`, or its index.
fn script_of(path: &str, files: &dyn Files) -> Option<String> {
    let package = format!("{path}/package.json");
    let main = || {
        let package: serde_json::Value = serde_json::from_str(&files.read(&package).ok()?).ok()?;
        let main = package.get("main")?.as_str()?.to_owned();
        (files.found(&format!("{path}/{main}")) == Found::File && is_script(&main)).then_some(main)
    };
    if files.found(&package) == Found::File
        && let Some(main) = main()
    {
        return Some(format!("detected: `main` of {package} is {main}"));
    }
    // In the order in which the file is chosen when it is built.
    let index = [".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx"].map(|ending| format!("{path}/index{ending}"));
    index.into_iter().find(|index| files.found(index) == Found::File).map(|index| format!("detected: {index} exists"))
}

fn is_script(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    SCRIPTS.iter().any(|ending| path.ends_with(ending))
}

fn is_wasm(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".wasm")
}

fn no_build(path: &str, files: &dyn Files) -> Problem {
    const SHOWN: usize = 6;
    let names = files.names(path);
    let problem = Problem::new(
        Code::E0105,
        format!("the folder {path:?} has no Cargo.toml and no index.js or index.ts, so there is nothing to build"),
    );
    let found = match names.len() {
        0 => "it is empty".to_owned(),
        1..=SHOWN => format!("it holds {}", names.join(", ")),
        _ => format!("it holds {}, …", names[..SHOWN].join(", ")),
    };
    let help = match names.iter().find(|name| is_wasm(name) || is_script(name)) {
        Some(file) => format!("path = \"{path}/{file}\""),
        None => CHOICES.to_owned(),
    };
    problem.note(found.escape_debug().to_string()).help(help)
}
