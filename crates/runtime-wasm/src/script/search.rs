//! Places that the engine doesn't know, found in the text: where a script says what it was told to have, or to wait for.

use types::script::{Module, Script, SourcePlace};

/// Where the entry has its default export, or else its beginning.
pub(super) fn default_export(script: &Script) -> Option<SourcePlace> {
    in_entry(script, "export default")
}

/// Where the entry first awaits something, or else its beginning.
pub(super) fn await_in_entry(script: &Script) -> Option<SourcePlace> {
    in_entry(script, "await ")
}

/// Where a module imports what it can't have, by the engine's words for that: `Could not find export 'name' in module 'lib.js'`.
pub(super) fn missing_export(script: &Script, words: &str) -> Option<SourcePlace> {
    let mut quoted = words.split('\'').skip(1).step_by(2);
    let (name, module) = (quoted.next()?, quoted.next()?);
    let importing = script.modules.iter().filter(|other| other.links.iter().any(|(_, target)| target == module));
    importing.filter_map(|importing| find(importing, |line| if is_import(line) { word(line, name) } else { None })).next()
}

fn in_entry(script: &Script, words: &str) -> Option<SourcePlace> {
    let entry = script.modules.iter().find(|module| module.name == script.entry)?;
    find(entry, |line| line.find(words)).or_else(|| find(entry, |_| Some(0)))
}

/// The first line in which `at` finds a byte.
fn find(module: &Module, at: impl Fn(&str) -> Option<usize>) -> Option<SourcePlace> {
    let text = module.original.as_ref().map_or(module.code.as_str(), |original| original.text.as_str());
    // An empty file has a beginning too.
    let lines = text.lines().chain(text.is_empty().then_some(""));
    let (line, text, byte) = (1_u32..).zip(lines).find_map(|(line, text)| Some((line, text, at(text)?)))?;
    let column = u32::try_from(text[..byte].encode_utf16().count() + 1).ok()?;
    Some(SourcePlace { module: module.name.clone(), line, column, text: Some(text.to_owned()) })
}

/// Whether a line may be part of an import or of an export from elsewhere: other lines use what was imported.
fn is_import(line: &str) -> bool {
    !line.contains('(') && !line.contains('=')
}

/// Where this very word stands.
fn word(line: &str, name: &str) -> Option<usize> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
    let stands = |at: &usize| !is_part(line[..*at].chars().next_back()) && !is_part(line[at + name.len()..].chars().next());
    line.match_indices(name).map(|(at, _)| at).find(stands)
}

#[cfg(test)]
mod tests {
    use types::script::ModuleKind;

    use super::*;

    fn module(name: &str, code: &str, links: &[&str]) -> Module {
        let links = links.iter().map(|name| (format!("./{name}"), (*name).to_owned())).collect();
        Module { name: name.into(), kind: ModuleKind::Module, code: code.into(), links, exports: Vec::new(), original: None }
    }

    #[test]
    fn what_is_meant_is_found_in_the_text() {
        let modules = vec![
            module("a.js", "const name = 1;\nuse(discount);\nimport {\n  discounts, discount,\n} from './b.js';\n", &["b.js"]),
            module("b.js", "// none\n  export default { fetch: async () => { await 1; } };", &[]),
        ];
        let script = Script { entry: "b.js".into(), modules, bindings: Vec::new(), handlers: Vec::new() };
        let shown = |place: Option<SourcePlace>| place.map(|place| format!("{}:{}:{}", place.module, place.line, place.column));
        let missing = missing_export(&script, "Could not find export 'discount' in module 'b.js'");
        assert_eq!(shown(missing).as_deref(), Some("a.js:4:14"));
        assert_eq!(missing_export(&script, "Could not find export 'discount' in module 'c.js'"), None);
        assert_eq!(missing_export(&script, "something else"), None);
        assert_eq!(shown(default_export(&script)).as_deref(), Some("b.js:2:3"));
        assert_eq!(shown(await_in_entry(&script)).as_deref(), Some("b.js:2:41"));
        let empty = Script { entry: "e.js".into(), modules: vec![module("e.js", "", &[])], ..script };
        assert_eq!(shown(default_export(&empty)).as_deref(), Some("e.js:1:1"));
    }
}
