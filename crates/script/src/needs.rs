//! What installed packages need of Node.js, told once for each import of a person's that leads there.
//!
//! A package for Node.js asks for its modules at dozens of places; a person can mend one: the import that brought the package in.

use std::collections::{BTreeMap, BTreeSet};

use types::{Code, Place, Problem};

use crate::{builtin, instead, module};

/// One place where a package asks for a module of Node.js.
pub(crate) struct Need {
    /// What it asks for: `node:fs`.
    pub(crate) specifier: String,
    /// The name of the module that asks.
    pub(crate) module: String,
    /// Where.
    pub(crate) place: Place,
    /// How the entry leads to the module.
    pub(crate) way: String,
}

/// A person's import that leads to such places.
pub(crate) struct Asker {
    /// The name of the person's file.
    pub(crate) file: String,
    /// What it imports.
    pub(crate) specifier: String,
    /// Where.
    pub(crate) place: Place,
}

/// The packages and modules that are listed; who wants all of them has to mend the first anyway.
const LISTED: usize = 6;

/// `E0314`: an import whose package needs Node.js. The needs are in the order in which they were found, the nearest first.
pub(crate) fn problem(asker: Asker, needs: &[Need]) -> Problem {
    let Asker { file, specifier, place } = asker;
    let problem = Problem::new(Code::E0314, format!("{file} imports {specifier:?}, which needs Node.js")).at(place);
    let Some(first) = needs.first() else { return problem };
    let Need { specifier: wanted, module, place, way } = first;
    let problem = problem
        .note(format!("{module}:{}:{} imports {wanted:?}, a module of Node.js", place.line, place.column))
        .note(format!("it is reached by {way}"));
    let problem = match needs.len() {
        1 => problem,
        count => problem.note(format!("{count} imports in all: {}", listed(needs))),
    };
    problem.help(help(&specifier, needs))
}

/// Each module of Node.js with the packages that ask for it.
fn listed(needs: &[Need]) -> String {
    let mut askers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for need in needs {
        askers.entry(&need.specifier).or_default().insert(owner(&need.module));
    }
    let shown = askers.iter().take(LISTED).map(|(wanted, owners)| {
        let names: Vec<&str> = owners.iter().take(LISTED).copied().collect();
        let more = if owners.len() > LISTED { ", …" } else { "" };
        format!("{wanted} by {}{more}", names.join(", "))
    });
    let shown: Vec<String> = shown.collect();
    let more = if askers.len() > LISTED { "; …" } else { "" };
    format!("{}{more}", shown.join("; "))
}

/// What to do: another package, those that stand in for what is missing, or what functions have themselves.
fn help(imported: &str, needs: &[Need]) -> String {
    let package = module::package(imported).unwrap_or(imported);
    let owner = needs.first().map_or(package, |need| owner(&need.module));
    if let Some(other) = instead::of(package).or_else(|| instead::of(owner)) {
        return other.to_owned();
    }
    let stands_in = |need: &Need| builtin::is_a_package_too(&need.specifier);
    if needs.iter().all(stands_in) {
        let names: BTreeSet<&str> = needs.iter().filter_map(|need| module::package(&need.specifier)).collect();
        let names: Vec<&str> = names.into_iter().collect();
        return format!("npm install {}: packages of these names do the same without Node.js", names.join(" "));
    }
    match (needs.len(), builtin::alternative(&needs[0].specifier)) {
        (1, Some(alternative)) => format!("a package for workers or browsers; what functions have themselves: {alternative}"),
        _ => format!("a build of {owner} for workers or browsers, or another package"),
    }
}

/// The package that a module is of.
pub(crate) fn owner(name: &str) -> &str {
    name.rsplit_once("node_modules/").and_then(|(_, rest)| module::package(rest)).unwrap_or(name)
}
