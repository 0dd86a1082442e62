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
            .help("name a folder with a Cargo.toml, or a .wasm file that is a component")),
        Found::File if is_wasm(path) => Ok((Build::Component, format!("detected: {path} is a .wasm file"))),
        Found::File => Err(Problem::new(Code::E0105, format!("{path:?} is a file, but no .wasm"))
            .help("name a .wasm file that is a component, or a folder with a Cargo.toml")),
        Found::Folder if files.found(&cargo) == Found::File => Ok((Build::Cargo, format!("detected: {cargo} exists"))),
        Found::Folder => Err(no_build(path, files)),
    }
}

fn is_wasm(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".wasm")
}

fn no_build(path: &str, files: &dyn Files) -> Problem {
    const SHOWN: usize = 6;
    let names = files.names(path);
    let problem = Problem::new(Code::E0105, format!("the folder {path:?} has no Cargo.toml, so there is nothing to build"));
    let found = match names.len() {
        0 => "it is empty".to_owned(),
        1..=SHOWN => format!("it holds {}", names.join(", ")),
        _ => format!("it holds {}, …", names[..SHOWN].join(", ")),
    };
    let help = match names.iter().find(|name| is_wasm(name)) {
        Some(component) => format!("path = \"{path}/{component}\""),
        None => "name a folder with a Cargo.toml, or a .wasm file that is a component".to_owned(),
    };
    problem.note(found.escape_debug().to_string()).help(help)
}
