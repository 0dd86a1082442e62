//! The resources that a function may be granted, as the engine asks for them: `wit/` on the platform, models in memory elsewhere.
//!
//! Both have the same functions and types. What they share is here; a native (`natives::services`) turns it into JavaScript.

#[cfg(not(target_family = "wasm"))]
mod fake;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub use fake::{bucket, bus, config, kv, queue, sql, stream};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{bucket, bus, config, kv, queue, sql, stream};

/// How a service fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What programs decide by: `access-denied`, `too-large` …
    pub code: &'static str,
    /// What happened, for people. Empty where the interface has no words for it.
    pub message: String,
    /// Of `trimmed`: the oldest record that is left.
    pub oldest: Option<u64>,
}

impl Failed {
    /// A failure of this kind.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), oldest: None }
    }
    /// A failure that an interface tells in words alone: those of the platform's stores.
    pub fn words(message: String) -> Self {
        match message.strip_prefix("access denied: ") {
            Some(text) => Self::new("access-denied", text),
            None => Self::new(code_of(&message), message),
        }
    }
}

/// What programs decide by, of a text that says what happened.
fn code_of(words: &str) -> &'static str {
    let begins = |with: &[&str]| with.iter().any(|text| words.starts_with(text));
    if words.contains(", allowed ") {
        "too-large"
    } else if begins(&["the value is not a whole number", "the number to add"]) || words.ends_with("more than 64 bits hold") {
        "invalid"
    } else if begins(&["changed in the meantime: "]) || words.ends_with("was used for something else") {
        "conflict"
    } else if begins(&["the outcome is not known: "]) {
        "unknown-outcome"
    } else if begins(&["the disk is full"]) {
        "unavailable"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::Failed;

    #[test]
    fn words_are_told_apart_by_what_a_program_can_do() {
        for (words, code, message) in [
            ("access denied: no grant", "access-denied", "no grant"),
            ("a key of 2000 bytes, allowed 1 KiB", "too-large", "a key of 2000 bytes, allowed 1 KiB"),
            ("the value is not a whole number in decimal digits", "invalid", "the value is not a whole number in decimal digits"),
            ("changed in the meantime: x", "conflict", "changed in the meantime: x"),
            ("the outcome is not known: x", "unknown-outcome", "the outcome is not known: x"),
            ("no such object: x", "other", "no such object: x"),
        ] {
            let failed = Failed::words(words.to_owned());
            assert_eq!((failed.code, failed.message.as_str()), (code, message));
        }
    }
}

/// What a service gives.
pub type Answer<T> = Result<T, Failed>;

/// A message to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub body: Vec<u8>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// Not before so many milliseconds.
    pub delay_ms: Option<u64>,
    /// Messages with the same key within five minutes are one.
    pub dedup_key: Option<String>,
    /// Messages of one group are delivered in order.
    pub group: Option<String>,
    /// Names and values that travel along.
    pub attributes: Vec<(String, String)>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number in the queue; none while it is held back.
    pub id: Option<String>,
    /// Whether its deduplication key was seen before.
    pub duplicate: bool,
}

/// A record to be appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Records of one key stay in order.
    pub key: Option<Vec<u8>>,
    /// What it says.
    pub body: Vec<u8>,
    /// Records with the same key within five minutes are one.
    pub dedup_key: Option<String>,
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The partition, from 0.
    pub partition: u32,
    /// Its place in the partition, from 0.
    pub sequence: u64,
}

/// A record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in its partition.
    pub sequence: u64,
    /// When it was appended, in milliseconds since 1970.
    pub appended_ms: u64,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// What it says.
    pub body: Vec<u8>,
}

/// An event to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Unique for its source.
    pub id: Option<String>,
    /// Where it happened.
    pub source: Option<String>,
    /// What happened: the attribute `type`.
    pub kind: String,
    /// What it is about.
    pub subject: Option<String>,
    /// When it happened, in milliseconds since 1970.
    pub time_ms: Option<u64>,
    /// The media type of the data.
    pub content_type: Option<String>,
    /// The schema of the data.
    pub schema: Option<String>,
    /// Further attributes.
    pub extensions: Vec<(String, String)>,
    /// What it says.
    pub data: Option<Vec<u8>>,
}

/// A value of SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A statement with its parameters, by position.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text: one statement.
    pub text: String,
    /// Its parameters.
    pub parameters: Vec<SqlValue>,
}

/// What a statement gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<SqlValue>>,
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// How many rows it changed.
    pub changed: u64,
    /// The row id of the last insert on the connection.
    pub last_insert_id: i64,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, in seconds since 1970.
    pub written_s: u64,
}

/// A page of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The names, in the order of their bytes.
    pub names: Vec<String>,
    /// Whether nothing follows.
    pub is_last: bool,
}
