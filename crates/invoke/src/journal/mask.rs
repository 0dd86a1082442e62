//! Keeping the values of secrets out of the journal.
//!
//! What a guest reads of a secret is noted by version, length and a keyed hash. But it reads secrets to send them on: in a header, say. So
//! wherever a call carries the value as it is, the journal has in its place what a replay gives the guest for it, and the two are the
//! same again. What the guest made of the value (a signature, another encoding) is not known to be one.

use bytes::Bytes;
use types::{
    journal::{BucketCall, Headers, Operation, SqlCall, StreamCall},
    kv::Write,
    object::ObjectAttributes,
    sql::{SqlValue, Statement},
};

/// Shorter values stand everywhere by chance, and are not looked for.
const LEAST: usize = 4;

/// A value that must not be noted, and what is noted instead: of the same length.
#[derive(PartialEq, Eq)]
pub(crate) struct Hidden {
    value: Vec<u8>,
    fake: Vec<u8>,
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hidden({} bytes)", self.value.len())
    }
}

impl Hidden {
    /// Hides the value of the secret with this name; `None` if it is too short to be found again.
    pub(crate) fn new(name: &str, value: &[u8]) -> Option<Self> {
        (value.len() >= LEAST).then(|| Self { value: value.to_vec(), fake: fake(name, value.len()) })
    }
}

/// What a replay gives for a secret: printable, the same for each name, and never the value.
pub(crate) fn fake(name: &str, length: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key("dayfly 2026-11-21 what stands for a secret in a replay");
    hasher.update(name.as_bytes());
    let mut bytes = vec![0; length];
    hasher.finalize_xof().fill(&mut bytes);
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    bytes.iter_mut().for_each(|byte| *byte = LETTERS[usize::from(*byte & 31)]);
    bytes
}

/// Replaces the values wherever the call carries them.
pub(crate) fn mask(operation: &mut Operation, hidden: &[Hidden]) {
    let mask = Mask(hidden);
    match operation {
        Operation::KvGet { key, .. } => mask.bytes(key),
        Operation::KvGetMany { keys, .. } => keys.iter_mut().for_each(|key| mask.bytes(key)),
        Operation::KvList { prefix, .. } => mask.bytes(prefix),
        Operation::KvCommit { transaction, .. } => transaction.writes.iter_mut().for_each(|write| match write {
            Write::Put { key, value, .. } => [key, value].into_iter().for_each(|bytes| mask.bytes(bytes)),
            Write::Delete { key } => mask.bytes(key),
        }),
        Operation::Http { request } => {
            [&mut request.authority, &mut request.target].into_iter().for_each(|text| mask.text(text));
            mask.headers(&mut request.headers);
        }
        Operation::QueueSend { messages, .. } => messages.iter_mut().for_each(|message| {
            mask.bytes(&mut message.body);
            message.attributes.iter_mut().for_each(|(_, value)| mask.text(value));
        }),
        Operation::Stream { call: StreamCall::Append { records, .. }, .. } => {
            records.iter_mut().for_each(|record| mask.bytes(&mut record.body));
        }
        Operation::Sql { call, .. } => match call {
            SqlCall::Run(statement) => mask.statement(statement),
            SqlCall::Batch(statements) => statements.iter_mut().for_each(|statement| mask.statement(statement)),
            SqlCall::Connect => {}
        },
        Operation::Bucket { call, .. } => mask.bucket(call),
        Operation::Publish { events, .. } => events.iter_mut().for_each(|event| {
            event.data.iter_mut().for_each(|data| mask.bytes(data));
            event.subject.iter_mut().for_each(|subject| mask.text(subject));
            event.extensions.iter_mut().for_each(|(_, value)| mask.text(value));
        }),
        Operation::Stream { .. } | Operation::Secret { .. } => {}
    }
}

struct Mask<'a>(&'a [Hidden]);

impl Mask<'_> {
    /// The bytes with every value replaced; `None` if there is none in them.
    fn replaced(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut result: Option<Vec<u8>> = None;
        for Hidden { value, fake } in self.0 {
            let mut from = 0;
            while let Some(at) = find(result.as_deref().unwrap_or(bytes), value, from) {
                result.get_or_insert_with(|| bytes.to_vec())[at..at + value.len()].copy_from_slice(fake);
                from = at + value.len();
            }
        }
        result
    }
    fn bytes(&self, bytes: &mut Bytes) {
        if let Some(replaced) = self.replaced(bytes) {
            *bytes = replaced.into();
        }
    }
    fn text(&self, text: &mut String) {
        if let Some(replaced) = self.replaced(text.as_bytes()) {
            *text = String::from_utf8_lossy(&replaced).into_owned();
        }
    }
    fn headers(&self, headers: &mut Headers) {
        headers.iter_mut().for_each(|(_, value)| self.bytes(value));
    }
    fn statement(&self, statement: &mut Statement) {
        self.text(&mut statement.text);
        statement.parameters.iter_mut().for_each(|value| match value {
            SqlValue::Text(text) => self.text(text),
            SqlValue::Blob(bytes) => self.bytes(bytes),
            SqlValue::Null | SqlValue::Integer(_) | SqlValue::Real(_) => {}
        });
    }
    fn bucket(&self, call: &mut BucketCall) {
        match call {
            BucketCall::Put { key, attributes, .. } => {
                self.text(key);
                self.attributes(attributes);
            }
            BucketCall::Copy { key, attributes, .. } => {
                self.text(key);
                attributes.iter_mut().for_each(|attributes| self.attributes(attributes));
            }
            BucketCall::Head { key, .. } | BucketCall::Get { key, .. } | BucketCall::Delete { key, .. } => self.text(key),
            BucketCall::List(_) | BucketCall::Created | BucketCall::Create => {}
        }
    }
    fn attributes(&self, attributes: &mut ObjectAttributes) {
        let ObjectAttributes { content_type: _, headers, metadata, tags } = attributes;
        [headers, metadata, tags].into_iter().flat_map(|map| map.values_mut()).for_each(|value| self.text(value));
    }
}

fn find(bytes: &[u8], value: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(value.len()).position(|window| window == value).map(|at| at + from)
}

#[cfg(test)]
mod tests {
    use types::journal::RequestHead;

    use super::*;

    fn request() -> Operation {
        let text = |text: &str| text.to_owned();
        let headers = vec![(text("authorization"), Bytes::from("Bearer canary-1 canary-1"))];
        let request = RequestHead {
            method: text("GET"),
            scheme: text("https"),
            authority: text("api.example.com"),
            target: text("/?key=canary-1"),
            headers,
        };
        Operation::Http { request }
    }

    #[test]
    fn a_value_is_replaced_wherever_a_call_carries_it() {
        let mut masked = request();
        assert!(format!("{masked:?}").contains("canary-1"), "the control: without the mask it is there");
        mask(&mut masked, &[Hidden::new("token", b"canary-1").expect("long enough")]);
        let shown = format!("{masked:?}");
        assert!(!shown.contains("canary-1"), "{shown}");
        let fake = String::from_utf8(fake("token", 8)).expect("letters");
        assert_eq!(shown.matches(&fake).count(), 3, "a replay has the same calls: {shown}");
    }

    #[test]
    fn values_that_stand_everywhere_by_chance_are_not_looked_for() {
        assert!(Hidden::new("pin", b"123").is_none());
    }
}
