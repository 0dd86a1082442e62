//! Between ES modules and CommonJS: what an import of a CommonJS module means.
//!
//! The engine gives such a module the names of its `exports`, and `module.exports` as `default`, as Node.js does. Compilers and bundlers have
//! two more habits that packages and people rely on: a file that is not said to be an ES module gets `exports.default` as the default
//! of what was compiled from one (`__esModule`), and any property may be imported by its name. A module in between does both.

use std::fmt::Write as _;

use types::{
    Place,
    script::{Module, ModuleKind},
};

use crate::provided;

/// What stands between one importer and a CommonJS module.
pub(crate) struct Between<'a> {
    /// The CommonJS module.
    pub(crate) target: &'a str,
    /// Whether `exports.default` of what was compiled from an ES module is the default.
    pub(crate) unwraps: bool,
    /// The names that a person's own file asks for and that nobody saw: where, and as what the file knows the module.
    pub(crate) asked: Option<Asked<'a>>,
}

/// Names of which only running can tell whether they are there.
pub(crate) struct Asked<'a> {
    /// The file that asks.
    pub(crate) importer: &'a str,
    /// What it imports.
    pub(crate) specifier: &'a str,
    /// The names, each with the place of its import.
    pub(crate) names: Vec<(&'a str, Place)>,
}

impl Between<'_> {
    /// The name of the module in between.
    pub(crate) fn name(&self) -> String {
        match &self.asked {
            None => format!("{}/import/{}", provided::PREFIX, self.target),
            Some(Asked { importer, specifier, .. }) => format!("{}/import/{specifier}?{importer}", provided::PREFIX),
        }
    }

    /// The module in between.
    pub(crate) fn module(&self) -> Module {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let target = quoted(self.target);
        let mut code = format!("import all from {target};\nexport * from {target};\n");
        for (name, place) in self.asked.iter().flat_map(|asked| &asked.names) {
            let specifier = self.asked.as_ref().map_or(self.target, |asked| asked.specifier);
            let Place { file, line, column, .. } = place;
            let message = format!("{specifier:?} does not export {name:?}, which {file}:{line}:{column} imports");
            let (name, message) = (quoted(name), quoted(&message));
            // A string that can't fail to be written to.
            let _ = writeln!(code, "if (!({name} in Object(all))) throw new SyntaxError({message});");
        }
        code.push_str(match self.unwraps {
            true => "export default all && all.__esModule && \"default\" in all ? all.default : all;\n",
            false => "export default all;\n",
        });
        let links = vec![(self.target.to_owned(), self.target.to_owned())];
        Module { name: self.name(), kind: ModuleKind::Module, code, links, exports: Vec::new(), original: None }
    }
}
