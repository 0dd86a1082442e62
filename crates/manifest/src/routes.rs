//! Routes of one app that answer the same requests.
//!
//! The rule is the gateway's: patterns go into the same kind of tree (`matchit`), which refuses two patterns that differ only in the
//! names of their parameters; one pattern may stand several times if the methods differ.

use std::collections::BTreeMap;

use types::{Code, FunctionName, Problem, Route};

use crate::source::{At, Sources};

/// A route, its function, and where it stands.
pub(crate) struct Placed<'a> {
    pub(crate) route: Route,
    pub(crate) function: &'a FunctionName,
    pub(crate) at: At,
}

/// A problem for every route that another one before it leaves no room for.
pub(crate) fn conflicts(sources: &Sources, routes: &[Placed<'_>]) -> Vec<Problem> {
    let mut tree = matchit::Router::new();
    let mut by_path: BTreeMap<&str, Vec<&Placed<'_>>> = BTreeMap::new();
    let mut problems = Vec::new();
    for placed in routes {
        let path = placed.route.path.as_str();
        if let Some(same) = by_path.get_mut(path) {
            match same.iter().find(|other| other.route.methods.overlaps(&placed.route.methods)) {
                Some(other) => problems.push(problem(sources, placed, other)),
                None => same.push(placed),
            }
            continue;
        }
        match tree.insert(path, ()) {
            Ok(()) => drop(by_path.insert(path, vec![placed])),
            Err(matchit::InsertError::Conflict { with }) => match by_path.get(with.as_str()).and_then(|same| same.first()) {
                Some(other) => problems.push(renamed(sources, placed, other)),
                None => problems.push(refused(sources, placed, &format!("it conflicts with {with:?}"))),
            },
            Err(error) => problems.push(refused(sources, placed, &error.to_string())),
        }
    }
    problems
}

fn problem(sources: &Sources, placed: &Placed<'_>, other: &Placed<'_>) -> Problem {
    let message = format!(
        "`{}` of {} answers requests that `{}` of {} answers",
        placed.route, placed.function, other.route, other.function
    );
    Problem::new(Code::E0108, message)
        .at(sources.place(placed.at))
        .note(format!("the other stands at {}", sources.line_of(other.at)))
        .help("give one of them another path or method")
}

fn renamed(sources: &Sources, placed: &Placed<'_>, other: &Placed<'_>) -> Problem {
    let message = format!(
        "the path of `{}` of {} and the path of `{}` of {} match the same requests",
        placed.route, placed.function, other.route, other.function
    );
    let methods = placed.route.methods.as_slice().join(",");
    let same = format!("{methods} {}", other.route.path);
    let help = match placed.route.methods.overlaps(&other.route.methods) {
        true => "give one of them another path or method".to_owned(),
        false => sources.mended(placed.at, &crate::leaf::quote(same.trim())).unwrap_or(same),
    };
    Problem::new(Code::E0108, message)
        .at(sources.place(placed.at))
        .note(format!("the other stands at {}", sources.line_of(other.at)))
        .note("where paths match the same requests, their parameters have the same names")
        .help(help)
}

fn refused(sources: &Sources, placed: &Placed<'_>, why: &str) -> Problem {
    Problem::new(Code::E0109, format!("`{}` of {}: {why}", placed.route, placed.function)).at(sources.place(placed.at))
}
