//! A script from files, for tests: imports are relative paths, found by their text. Real scripts are collected by the platform.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::script::{Kind, Module, Script};

/// The module in `file` and all that it imports.
///
/// # Panics
///
/// A file cannot be read.
pub fn script(file: &str) -> Script {
    let mut modules: HashMap<String, Module> = HashMap::new();
    let mut open = vec![PathBuf::from(file)];
    while let Some(path) = open.pop() {
        let name = name(&path);
        if modules.contains_key(&name) {
            continue;
        }
        let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let folder = path.parent().unwrap_or(Path::new(""));
        let links: Vec<(String, String)> =
            imports(&code).map(|import| (import.to_owned(), self::name(&folder.join(import)))).collect();
        open.extend(links.iter().map(|(import, _)| folder.join(import)));
        modules.insert(name.clone(), Module { name, kind: kind(&path), code, links, exports: Vec::new() });
    }
    Script { entry: name(Path::new(file)), modules: modules.into_values().collect(), ..Script::default() }
}

/// The texts in quotes that begin with a dot, on lines that import or require. Good enough for tests.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    let is_import = |line: &&str| ["import ", "import(", "export ", "} from", "require("].iter().any(|word| line.contains(word));
    let quoted = |line| str::split(line, ['"', '\'']).skip(1).step_by(2);
    code.lines().filter(is_import).flat_map(quoted).filter(|text| text.starts_with("./") || text.starts_with("../"))
}

fn kind(path: &Path) -> Kind {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("cjs") => Kind::CommonJs,
        Some("json") => Kind::Json,
        Some("txt" | "html" | "md") => Kind::Text,
        _ => Kind::Module,
    }
}

/// The path without `.` and `..`.
fn name(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.to_string_lossy().split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| last != "..") => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
    }
    parts.join("/")
}
