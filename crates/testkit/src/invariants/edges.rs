//! Who may depend on whom: a star around `types` and `ports`, with `server` as the one that knows all.

use std::collections::BTreeSet;

use super::{Broken, Workspace};

/// What every crate may depend on.
const CENTRE: [&str; 2] = ["types", "ports"];
/// The composition root.
const ROOT: &str = "server";
/// What tests may depend on beside that.
const FOR_TESTS: [&str; 2] = ["testkit", "system"];

/// An edge beyond the star, with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// Who depends.
    pub from: &'static str,
    /// On whom.
    pub to: &'static str,
    /// Why the star is not enough.
    pub reason: &'static str,
}

/// A library that one crate alone may name.
#[derive(Debug, Clone, Copy)]
pub struct Only {
    /// The library's name begins so.
    pub library: &'static str,
    /// The crates that may name it.
    pub crates: &'static [&'static str],
}

/// Each crate depends on the centre alone; the edges beyond are those listed, and no listed edge is gone.
#[must_use]
pub fn star(workspace: &Workspace, extra: &[Edge]) -> Broken {
    let mut broken = Broken::new();
    let mut unused: BTreeSet<(&str, &str)> = extra.iter().map(|edge| (edge.from, edge.to)).collect();
    for (from, manifest) in &workspace.crates {
        for (table, allowed_too) in [("dependencies", &[][..]), ("build-dependencies", &[]), ("dev-dependencies", &FOR_TESTS)] {
            for to in ours(workspace, manifest, table) {
                let is_listed = table == "dependencies" && unused.remove(&(from, to));
                let is_inward = match from.as_str() {
                    "types" => false,
                    "ports" => to == "types",
                    _ => CENTRE.contains(&to),
                };
                let is_known = from == ROOT && to != "testkit" || allowed_too.contains(&to);
                if !is_listed && !is_inward && !is_known {
                    broken.push(format!(
                        "{from} depends on {to} ({table}): ask for a trait of ports, or list the edge with its reason"
                    ));
                }
            }
        }
    }
    broken.extend(
        unused.into_iter().map(|(from, to)| format!("the listed edge {from} → {to} does not exist: remove it from the list")),
    );
    broken.extend(
        extra.iter().filter(|edge| edge.reason.is_empty()).map(|edge| format!("{} → {} has no reason", edge.from, edge.to)),
    );
    broken
}

/// Heavy libraries stay behind the crate that is their border.
#[must_use]
pub fn only_one_names(workspace: &Workspace, only: &[Only]) -> Broken {
    let mut broken = Broken::new();
    for (name, manifest) in &workspace.crates {
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for library in dependencies(manifest, table) {
                let rule = only.iter().find(|only| library.starts_with(only.library) && !only.crates.contains(&name.as_str()));
                broken.extend(rule.map(|only| format!("{name} names {library}: only {} may", only.crates.join(" and "))));
            }
        }
    }
    broken
}

fn ours<'a>(workspace: &'a Workspace, manifest: &'a toml::Table, table: &str) -> Vec<&'a str> {
    dependencies(manifest, table).into_iter().filter(|name| workspace.crates.contains_key(*name)).collect()
}

/// The names in a table of dependencies, also in those for one kind of system.
fn dependencies<'a>(manifest: &'a toml::Table, table: &str) -> Vec<&'a str> {
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = std::iter::once(manifest).chain(targets.filter_map(toml::Value::as_table));
    let found = tables.filter_map(|part| part.get(table)?.as_table());
    found.flat_map(toml::Table::keys).map(String::as_str).collect()
}
