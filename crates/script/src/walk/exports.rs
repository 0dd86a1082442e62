//! Whether modules export what is imported from them.

use std::collections::BTreeSet;

use types::script::ModuleKind;

use super::{Link, Walk};
use crate::{module, syntax::How};

impl Walk<'_> {
    /// The names that a module exports, with those that it exports on. False if there may be more: those of JSON, or of CommonJS.
    pub(super) fn exports(&self, at: usize, names: &mut BTreeSet<String>, seen: &mut BTreeSet<usize>) -> bool {
        let Some(node) = self.nodes.get(at) else { return false };
        if !seen.insert(at) {
            return true;
        }
        names.extend(node.parsed.exports.names.iter().cloned());
        let mut is_all = node.parsed.kind == ModuleKind::Module;
        for from in &node.parsed.exports.from {
            is_all &= match node.links.get(from) {
                Some(Link::Node(id)) => {
                    let had_default = names.contains("default");
                    let is_all = self.exports(self.index[id], names, seen);
                    // `export *` is everything but the default.
                    if !had_default && node.parsed.kind == ModuleKind::Module {
                        names.remove("default");
                    }
                    is_all
                }
                _ => false,
            };
        }
        is_all
    }

    /// Tells which names a person's files import from ES modules that do not export them.
    pub(super) fn tell_missing_exports(&mut self) {
        let mut problems = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if node.parsed.kind != ModuleKind::Module || module::is_in_package(&node.id.0) {
                continue;
            }
            // What JSX became stands nowhere in the file.
            let imports = node.parsed.imports.iter().filter(|import| import.how == How::Import && import.start < import.end);
            for import in imports.filter(|import| !import.names.is_empty()) {
                let Some(Link::Node(id)) = node.links.get(&import.specifier) else { continue };
                let mut known = BTreeSet::new();
                if !self.exports(self.index[id], &mut known, &mut BTreeSet::new()) {
                    continue;
                }
                let missing = import.names.iter().filter(|(name, _)| !known.contains(*name));
                problems.extend(missing.map(|(name, span)| self.importer(at).not_exported(import, name, *span, &known)));
            }
        }
        self.problems.extend(problems);
    }
}
