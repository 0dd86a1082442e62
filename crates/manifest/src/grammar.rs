//! The grammar of a manifest: every key, where it may stand and what it takes. The only list of keys beside the published schema,
//! and a test keeps the two equal.

use types::app::ResourceKind;

use crate::leaf::{self, Leaf};

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
    /// A resource of this kind: its settings.
    Resource(ResourceKind),
}

impl Named {
    /// The word for it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Environment => "environment",
            Self::Resource(ResourceKind::Kv) => "store",
            Self::Resource(ResourceKind::Sql) => "database",
            Self::Resource(kind) => kind.as_str(),
        }
    }
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape }
}

const fn one(name: &'static str, leaf: Leaf) -> Key {
    key(name, Shape::One(leaf))
}

const fn of_kind(kind: ResourceKind, name: &'static str, shape: &'static Shape) -> Key {
    key(name, Shape::Named(Named::Resource(kind), shape))
}

/// The whole file.
pub(crate) static ROOT: [Key; 11] = [
    one("app", Leaf::App),
    one("since", Leaf::Since),
    key("fn", Shape::Named(Named::Function, &Shape::Table(&FUNCTION))),
    of_kind(ResourceKind::Kv, "kv", &Shape::Table(&KV)),
    of_kind(ResourceKind::Sql, "sql", &Shape::Table(&SQL)),
    of_kind(ResourceKind::Bucket, "bucket", &Shape::Table(&BUCKET)),
    of_kind(ResourceKind::Queue, "queue", &Shape::Table(&QUEUE)),
    of_kind(ResourceKind::Stream, "stream", &Shape::Table(&STREAM)),
    key("site", Shape::Table(&SITE)),
    key("events", Shape::Table(&EVENTS)),
    key("env", Shape::Named(Named::Environment, &Shape::Table(&ENVIRONMENT))),
];

/// `[env.x]`: what belongs to an environment alone, and what is merged over the rest.
pub(crate) static ENVIRONMENT: [Key; 9] = [
    one("domain", Leaf::Domain),
    key("fn", Shape::Named(Named::Function, &Shape::Table(&FUNCTION))),
    of_kind(ResourceKind::Kv, "kv", &Shape::Table(&KV)),
    of_kind(ResourceKind::Sql, "sql", &Shape::Table(&SQL)),
    of_kind(ResourceKind::Bucket, "bucket", &Shape::Table(&BUCKET)),
    of_kind(ResourceKind::Queue, "queue", &Shape::Table(&QUEUE)),
    of_kind(ResourceKind::Stream, "stream", &Shape::Table(&STREAM)),
    key("site", Shape::Table(&SITE)),
    key("events", Shape::Table(&EVENTS)),
];

/// `[fn.x]`. `path` comes first, so that the rest is what `fn.toml` may hold.
pub(crate) static FUNCTION: [Key; 10] = [
    one("path", Leaf::Path),
    key("route", Shape::OneOrList(Leaf::Route)),
    key("on", Shape::Table(&ON)),
    key("uses", Shape::List(Leaf::Grant)),
    key("reach", Shape::List(Leaf::Reach)),
    key("env", Shape::Variables),
    key("limits", Shape::Table(&LIMITS)),
    one("effects", Leaf::Word(&leaf::EFFECTS)),
    key("webhook", Shape::Table(&WEBHOOK)),
    one("record", Leaf::Record),
];

/// The keys of a function's own file: all but `path`, which led to it.
pub(crate) fn function_file() -> &'static [Key] {
    &FUNCTION[1..]
}

/// The keys of the app that belong to resources, the site and events.
pub(crate) fn settings() -> impl Iterator<Item = &'static Key> {
    ROOT.iter().filter(|key| !["app", "since", "fn", "env"].contains(&key.name))
}

pub(crate) static LIMITS: [Key; 3] = [
    key("memory", Shape::One(Leaf::Memory)),
    key("time", Shape::One(Leaf::Time)),
    key("concurrency", Shape::One(Leaf::Concurrency)),
];

/// `on`: the keys of all sources. Which of them belong together is judged in `on`.
pub(crate) static ON: [Key; 19] = [
    one("queue", Leaf::Name(ResourceKind::Queue)),
    one("stream", Leaf::Name(ResourceKind::Stream)),
    one("bucket", Leaf::Name(ResourceKind::Bucket)),
    one("kv", Leaf::Name(ResourceKind::Kv)),
    one("sql", Leaf::Name(ResourceKind::Sql)),
    one("event", Leaf::Event),
    one("cron", Leaf::Schedule),
    one("batch", Leaf::Amount(&leaf::BATCH)),
    one("wait", Leaf::Span(&leaf::WAIT)),
    one("from", Leaf::Word(&leaf::FROM)),
    one("match", Leaf::Glob),
    key("table", Shape::OneOrList(Leaf::Table)),
    one("bus", Leaf::Name(ResourceKind::Event)),
    one("filter", Leaf::Filter),
    one("zone", Leaf::Zone),
    one("overlap", Leaf::Word(&leaf::OVERLAP)),
    one("missed", Leaf::Word(&leaf::MISSED)),
    one("retries", Leaf::Amount(&leaf::RETRIES)),
    one("dead", Leaf::Name(ResourceKind::Queue)),
];

pub(crate) static WEBHOOK: [Key; 7] = [
    one("header", Leaf::Header),
    one("secret", Leaf::Name(ResourceKind::Secret)),
    one("algorithm", Leaf::Word(&leaf::ALGORITHM)),
    one("encoding", Leaf::Word(&leaf::ENCODING)),
    one("prefix", Leaf::Prefix),
    one("timestamp", Leaf::Header),
    one("tolerance", Leaf::Span(&leaf::TOLERANCE)),
];

pub(crate) static KV: [Key; 1] = [one("expire", Leaf::Span(&leaf::EXPIRE))];

pub(crate) static SQL: [Key; 1] = [one("migrations", Leaf::Folder)];

pub(crate) static BUCKET: [Key; 3] =
    [one("versioning", Leaf::Flag), one("expire", Leaf::Span(&leaf::EXPIRE)), key("cors", Shape::List(Leaf::Origin))];

pub(crate) static QUEUE: [Key; 1] = [one("retention", Leaf::Span(&leaf::RETENTION))];

pub(crate) static STREAM: [Key; 2] =
    [one("partitions", Leaf::Amount(&leaf::PARTITIONS)), one("retention", Leaf::Span(&leaf::RETENTION))];

pub(crate) static SITE: [Key; 2] = [one("dir", Leaf::Folder), one("fallback", Leaf::Folder)];

pub(crate) static EVENTS: [Key; 2] = [one("key", Leaf::Name(ResourceKind::Secret)), one("bus", Leaf::Name(ResourceKind::Event))];
