//! Programs in JavaScript: the artifact of a function that is a `.js` or `.ts` file.
//!
//! Everything that depends on the developer's folder is settled when a script is made: imports are resolved, types are stripped. What
//! remains runs the same on every node. Its encoded form is [`wire::SCRIPT_MAGIC`](crate::wire::SCRIPT_MAGIC) and then this in postcard.

use serde::{Deserialize, Serialize};

/// A whole program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The name of the module whose default export has the handlers.
    pub entry: String,
    /// All modules, each once, in the order of their names.
    pub modules: Vec<Module>,
    /// What `env` holds, from the manifest.
    pub bindings: Vec<Binding>,
    /// The handlers that the function's triggers ask for: `fetch`, `queue`, `scheduled` …
    pub handlers: Vec<String>,
}

/// One file of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// The path of its file relative to the app's folder, with slashes; stack traces show it. Files above the folder begin with `../`.
    pub name: String,
    /// What its text is.
    pub kind: ModuleKind,
    /// JavaScript without types, or the text of the file; of [`ModuleKind::Bytes`] in base 64.
    pub code: String,
    /// Its imports as written, each with the name of the module that it means.
    pub links: Vec<(String, String)>,
    /// Of a CommonJS module: the names that it seems to export, beside `default`.
    pub exports: Vec<String>,
    /// The text that people wrote, where `code` was made from it.
    pub original: Option<Original>,
}

/// What a module's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleKind {
    /// An ES module.
    Module,
    /// A CommonJS module: the body of a function of `exports`, `require` and `module`.
    CommonJs,
    /// JSON: its default export is the value.
    Json,
    /// Text: its default export is the string.
    Text,
    /// Anything else: its default export is a `Uint8Array`.
    Bytes,
}

/// The text that a module's code was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// The file's text.
    pub text: String,
    /// Which place of the code came from which of the text, by places of the code.
    pub mappings: Vec<Mapping>,
}

/// A place of the code and where it came from. Lines and columns count from 0, columns in UTF-16 units, as source maps have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mapping {
    /// The line of the code.
    pub line: u32,
    /// The column of the code.
    pub column: u32,
    /// The line of the text.
    pub original_line: u32,
    /// The column of the text.
    pub original_column: u32,
}

/// One thing that `env` holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Binding {
    /// What it is.
    pub kind: BindingKind,
    /// The name of the resource, which is also its property of `env`.
    pub name: String,
}

/// What a property of `env` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BindingKind {
    /// A key-value store.
    Kv,
    /// A SQL database.
    Sql,
    /// A bucket.
    Bucket,
    /// A queue.
    Queue,
    /// A stream.
    Stream,
    /// A bus.
    Event,
    /// A secret.
    Secret,
    /// A setting of the manifest's `env`.
    Setting,
    /// Another function of the app.
    Function,
}

/// A place in a file as people count: from 1, columns in characters of UTF-16.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// The module.
    pub module: String,
    /// Its line.
    pub line: u32,
    /// Its column.
    pub column: u32,
    /// That line's text, if it is known.
    pub text: Option<String>,
}

impl Script {
    /// The line and the column in what people wrote of a place of the code; both count from 1. It reads no text, so it is quick.
    #[must_use]
    pub fn position(&self, module: &str, line: u32, column: u32) -> Option<(u32, u32)> {
        let found = self.modules.iter().find(|candidate| candidate.name == module)?;
        Some(found.original.as_ref().map_or((line, column), |original| original.place(line, column)))
    }

    /// Where in what people wrote a place of the code is. `line` and `column` count from 1, as engines print them.
    #[must_use]
    pub fn locate(&self, module: &str, line: u32, column: u32) -> Option<SourcePlace> {
        let found = self.modules.iter().find(|candidate| candidate.name == module)?;
        let (line, column) = found.original.as_ref().map_or((line, column), |original| original.place(line, column));
        let text = found.original.as_ref().map_or(found.code.as_str(), |original| original.text.as_str());
        let text = text.lines().nth(line.saturating_sub(1) as usize).map(str::to_owned);
        Some(SourcePlace { module: found.name.clone(), line, column, text })
    }
}

impl Original {
    /// The nearest mapping at or before the place, on its line; both count from 1.
    fn place(&self, line: u32, column: u32) -> (u32, u32) {
        let (wanted_line, wanted_column) = (line.saturating_sub(1), column.saturating_sub(1));
        let after = self.mappings.partition_point(|mapping| (mapping.line, mapping.column) <= (wanted_line, wanted_column));
        let before =
            after.checked_sub(1).and_then(|index| self.mappings.get(index)).filter(|mapping| mapping.line == wanted_line);
        // Code before the first mapping of its line was made with it.
        let nearest = before.or_else(|| self.mappings.get(after).filter(|mapping| mapping.line == wanted_line));
        nearest.map_or((line, column), |mapping| {
            (mapping.original_line.saturating_add(1), mapping.original_column.saturating_add(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script() -> Script {
        let mapping = |line, column, original_line, original_column| Mapping { line, column, original_line, original_column };
        let original = Original {
            text: "// types\ntype A = string\nthrow new Error('x')\n".into(),
            mappings: vec![mapping(0, 2, 2, 0), mapping(0, 8, 2, 6), mapping(1, 0, 0, 0)],
        };
        let module = |name: &str, code: &str, original| Module {
            name: name.into(),
            kind: ModuleKind::Module,
            code: code.into(),
            links: Vec::new(),
            exports: Vec::new(),
            original,
        };
        let modules = vec![module("api.ts", "  throw new Error('x')", Some(original)), module("lib.js", "one\ntwo", None)];
        Script { entry: "api.ts".into(), modules, bindings: Vec::new(), handlers: Vec::new() }
    }

    #[test]
    fn a_place_of_the_code_is_found_in_what_people_wrote() {
        let place = |module: &str, line, column| script().locate(module, line, column);
        let at = |line, column| SourcePlace { module: "api.ts".into(), line, column, text: Some("throw new Error('x')".into()) };
        assert_eq!(place("api.ts", 1, 9), Some(at(3, 7)));
        assert_eq!(place("api.ts", 1, 12), Some(at(3, 7)));
        assert_eq!(place("api.ts", 1, 1), Some(at(3, 1)));
        let same = SourcePlace { module: "lib.js".into(), line: 2, column: 3, text: Some("two".into()) };
        assert_eq!(place("lib.js", 2, 3), Some(same));
        assert_eq!(place("other.js", 1, 1), None);
    }
}
