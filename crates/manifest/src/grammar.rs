//! The grammar of a manifest: every key, where it may stand and what it takes. The only list of keys beside the published schema,
//! and a test keeps the two equal.

use crate::leaf::Leaf;

/// What may stand at some place.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table whose keys are names of the person's own.
    Named(Named, &'static Shape),
    /// A table of strings whose keys are names of environment variables.
    Variables,
    /// One value.
    One(Leaf),
    /// A list of values.
    List(Leaf),
    /// One value, or a list of them.
    OneOrList(Leaf),
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

/// What the person names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Function,
    Environment,
}

impl Named {
    /// The word for it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Environment => "environment",
        }
    }
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape }
}

/// The whole file.
pub(crate) static ROOT: [Key; 4] = [
    key("app", Shape::One(Leaf::App)),
    key("since", Shape::One(Leaf::Since)),
    key("fn", Shape::Named(Named::Function, &Shape::Table(&FUNCTION))),
    key("env", Shape::Named(Named::Environment, &Shape::Table(&ENVIRONMENT))),
];

/// `[env.x]`: what belongs to an environment alone, and what is merged over the rest.
pub(crate) static ENVIRONMENT: [Key; 2] =
    [key("domain", Shape::One(Leaf::Domain)), key("fn", Shape::Named(Named::Function, &Shape::Table(&FUNCTION)))];

/// `[fn.x]`. `path` comes first, so that the rest is what `fn.toml` may hold.
pub(crate) static FUNCTION: [Key; 7] = [
    key("path", Shape::One(Leaf::Path)),
    key("route", Shape::OneOrList(Leaf::Route)),
    key("uses", Shape::List(Leaf::Grant)),
    key("reach", Shape::List(Leaf::Reach)),
    key("env", Shape::Variables),
    key("limits", Shape::Table(&LIMITS)),
    key("record", Shape::One(Leaf::Record)),
];

/// The keys of a function's own file: all but `path`, which led to it.
pub(crate) fn function_file() -> &'static [Key] {
    &FUNCTION[1..]
}

pub(crate) static LIMITS: [Key; 3] = [
    key("memory", Shape::One(Leaf::Memory)),
    key("time", Shape::One(Leaf::Time)),
    key("concurrency", Shape::One(Leaf::Concurrency)),
];
