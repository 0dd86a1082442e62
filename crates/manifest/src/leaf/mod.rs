//! Single values: what each takes, how it is read, and how a wrong one is mended.

mod access;
mod events;
mod resources;
mod text;
mod units;
mod words;

pub(crate) use access::{grant, reach, route};
pub(crate) use events::{BATCH, RETRIES, WAIT, event, filter, glob, schedule, table, zone};
pub(crate) use resources::{EXPIRE, PARTITIONS, RETENTION, TOLERANCE, flag, folder, header, is_name, name, origin, prefix};
pub(crate) use text::{app, date, domain, path, record, variable};
use types::{Code, app::ResourceKind};
pub(crate) use units::{Amount, Span, amount, concurrency, memory, print_duration, print_size, span, time};
pub(crate) use words::{ALGORITHM, EFFECTS, ENCODING, FROM, MISSED, OVERLAP, Words, word};

use crate::tree::Value;

/// A kind of single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    App,
    Since,
    Domain,
    Path,
    Route,
    Grant,
    Reach,
    Memory,
    Time,
    Concurrency,
    Record,
    Event,
    Glob,
    Table,
    Filter,
    Schedule,
    Zone,
    Header,
    Prefix,
    Folder,
    Origin,
    Flag,
    /// The name of a resource of this kind, without the kind.
    Name(ResourceKind),
    /// A whole number within bounds.
    Amount(&'static Amount),
    /// A duration within bounds.
    Span(&'static Span),
    /// One of a few words.
    Word(&'static Words),
}

/// Why a value is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
    /// The value as it should stand, in TOML.
    pub(crate) mended: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), notes: Vec::new(), mended: None }
    }
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
    pub(crate) fn mend(mut self, value: Option<impl Into<String>>) -> Self {
        self.mended = value.map(Into::into);
        self
    }
}

impl Leaf {
    /// What it takes, for messages: a noun with its article and an example.
    pub(crate) fn expects(self) -> &'static str {
        match self {
            Self::App => "a name in a string, such as \"shop\"",
            Self::Since => "a date in a string, such as \"2026-11-21\"",
            Self::Domain => "a host name in a string, such as \"shop.example.com\"",
            Self::Path => "a path in a string, such as \"api\"",
            Self::Route => "a route in a string, such as \"GET /orders/{id}\"",
            Self::Grant => "a resource in a string, such as \"kv.sessions\"",
            Self::Reach => "a scheme and a host in a string, such as \"https://api.example.com\"",
            Self::Memory => "a size in a string, such as \"128MiB\"",
            Self::Time => "a duration in a string, such as \"10s\"",
            Self::Concurrency => "a whole number, such as 1000",
            Self::Record => "\"off\", \"errors\", \"all\" or a percentage, such as \"1%\"",
            Self::Event => "a change such as \"created\", or alone a pattern of event types, such as \"order.*\", in a string",
            Self::Glob => "a pattern in a string, such as \"*.{jpg,png}\"",
            Self::Table => "a table's name in a string, such as \"orders\"",
            Self::Filter => "a CEL expression in a string, such as \"event.data.total > 100\"",
            Self::Schedule => "a schedule in a string, such as \"0 6 * * mon-fri\"",
            Self::Zone => "a time zone in a string, such as \"Europe/Berlin\"",
            Self::Header => "a header's name in a string, such as \"x-hub-signature-256\"",
            Self::Prefix => "a text in a string, such as \"sha256=\"",
            Self::Folder => "a path in a string, such as \"web/dist\"",
            Self::Origin => "a scheme and a host in a string, such as \"https://shop.example.com\"",
            Self::Flag => "true or false",
            Self::Name(kind) => resources::expects(kind),
            Self::Amount(amount) => amount.expects,
            Self::Span(span) => span.expects,
            Self::Word(words) => words.expects,
        }
    }

    /// Whether the value will do.
    pub(crate) fn check(self, value: &Value) -> Result<(), Refusal> {
        match self {
            Self::App => app(value).map(drop),
            Self::Since => date(value).map(drop),
            Self::Domain => domain(value).map(drop),
            Self::Path => path(value).map(drop),
            Self::Route => route(value).map(drop),
            Self::Grant => grant(value).map(drop),
            Self::Reach => reach(value).map(drop),
            Self::Memory => memory(value).map(drop),
            Self::Time => time(value).map(drop),
            Self::Concurrency => concurrency(value).map(drop),
            Self::Record => record(value).map(drop),
            Self::Event => event(value).map(drop),
            Self::Glob => glob(value).map(drop),
            Self::Table => table(value).map(drop),
            Self::Filter => filter(value).map(drop),
            Self::Schedule => schedule(value).map(drop),
            Self::Zone => zone(value).map(drop),
            Self::Header => header(value).map(drop),
            Self::Prefix => prefix(value).map(drop),
            Self::Folder => folder(value).map(drop),
            Self::Origin => origin(value).map(drop),
            Self::Flag => flag(value).map(drop),
            Self::Name(kind) => name(kind, value).map(drop),
            Self::Amount(bounds) => amount(bounds, value).map(drop),
            Self::Span(bounds) => span(bounds, value).map(drop),
            Self::Word(words) => word(words, value).map(drop),
        }
    }

    /// The refusal of a value of another type.
    pub(crate) fn wrong_type(self, value: &Value) -> Refusal {
        // A list of one where one is wanted: the one is meant.
        let only = match value {
            Value::List(items) => items.first().filter(|_| items.len() == 1).and_then(|item| match &item.value {
                Value::Text(text) => Some(quote(text)),
                _ => None,
            }),
            _ => None,
        };
        Refusal::new(Code::E0104, format!("takes {}, and this is {}", self.expects(), value.kind())).mend(only)
    }

    /// The text of a value that must be a string.
    pub(crate) fn text(self, value: &Value) -> Result<&str, Refusal> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong_type(other)),
        }
    }
}

/// A text as TOML writes it.
pub(crate) fn quote(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
