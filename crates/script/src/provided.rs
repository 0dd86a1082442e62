//! Modules that no folder has: what transformed TypeScript calls, what a package hides from browsers, and what is missing on purpose.

use types::script::{Module, ModuleKind};

/// What the names of these modules begin with. No file's name does.
pub(crate) const PREFIX: &str = "dayfly:script";

/// What a package says is not there (`"browser": { "fs": false }`): an empty object.
pub(crate) const EMPTY: &str = "dayfly:script/empty";

/// TypeScript's old decorators, as its compiler calls them. `Reflect.decorate` and `Reflect.metadata` come from packages.
const DECORATE: &str = r#"export default function decorate(decorators, target, key, descriptor) {
  const given = arguments.length;
  let result = given < 3 ? target : descriptor === null ? Object.getOwnPropertyDescriptor(target, key) : descriptor;
  if (typeof Reflect.decorate === "function") {
    result = Reflect.decorate(decorators, target, key, descriptor);
  } else {
    for (let i = decorators.length - 1; i >= 0; i--) {
      const decorator = decorators[i];
      if (!decorator) continue;
      const made = given < 3 ? decorator(result) : given > 3 ? decorator(target, key, result) : decorator(target, key);
      result = made || result;
    }
  }
  if (given > 3 && result) Object.defineProperty(target, key, result);
  return result;
}
"#;
const DECORATE_METADATA: &str = r#"export default function decorateMetadata(key, value) {
  if (typeof Reflect.metadata === "function") return Reflect.metadata(key, value);
}
"#;
const DECORATE_PARAM: &str = r#"export default function decorateParam(index, decorator) {
  return (target, key) => decorator(target, key, index);
}
"#;

/// The module that has this name, or that transformed code imports under it.
pub(crate) fn module(name: &str) -> Option<Module> {
    let (kind, code) = match name.strip_prefix(PREFIX)? {
        "/empty" => (ModuleKind::CommonJs, "module.exports = {};\n".to_owned()),
        "/helpers/decorate" => (ModuleKind::Module, DECORATE.to_owned()),
        "/helpers/decorateMetadata" => (ModuleKind::Module, DECORATE_METADATA.to_owned()),
        "/helpers/decorateParam" => (ModuleKind::Module, DECORATE_PARAM.to_owned()),
        rest => (ModuleKind::CommonJs, thrown(rest.strip_prefix("/missing/")?)),
    };
    Some(Module { name: name.to_owned(), kind, code, links: Vec::new(), exports: Vec::new(), original: None })
}

/// The name of the module that stands for something that is missing, and throws when it is asked for.
pub(crate) fn missing(specifier: &str) -> String {
    format!("{PREFIX}/missing/{specifier}")
}

/// Packages try modules of Node.js and go on without them; who does not hears why.
fn thrown(specifier: &str) -> String {
    let why = match crate::builtin::alternative(specifier) {
        Some(instead) => format!("{specifier} is a module of Node.js, which functions don't have; instead: {instead}"),
        None => format!("{specifier} was not found when the function was built"),
    };
    let why = serde_json::to_string(&why).unwrap_or_default();
    format!("throw Object.assign(new Error({why}), {{ code: \"MODULE_NOT_FOUND\" }});\n")
}
