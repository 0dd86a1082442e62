//! What is counted while an invocation runs. Counting goes on when the journal is full, so bills stay exact.

use bytes::Bytes;
use types::{
    Digest,
    journal::{BodyDigest, Operation, Reply, SqlCall, StreamCall},
    limits,
    sql::{SqlValue, Statement},
    usage::{Services, Traffic},
};

/// Exact counts of one invocation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) kv_calls: u64,
    pub(crate) outbound_calls: u64,
    pub(crate) outbound_bytes: u64,
    pub(crate) log_bytes: u64,
    pub(crate) dropped_logs: u64,
    pub(crate) dropped_spans: u64,
    pub(crate) memory_peak: u64,
    pub(crate) services: Services,
}

impl Counts {
    pub(crate) fn call(&mut self, operation: &Operation) {
        match operation {
            Operation::Http { .. } => self.outbound_calls += 1,
            Operation::KvGet { .. } | Operation::KvGetMany { .. } | Operation::KvList { .. } | Operation::KvCommit { .. } => {
                self.kv_calls += 1;
            }
            Operation::QueueSend { messages, .. } => {
                let bytes = messages.iter().map(|message| message.body.len()).sum();
                add(&mut self.services.queue, bytes);
            }
            Operation::Stream { call, .. } => {
                let bytes = match call {
                    StreamCall::Append { records, .. } => records.iter().map(|record| record.body.len()).sum(),
                    StreamCall::Read { .. } | StreamCall::Stats => 0,
                };
                add(&mut self.services.stream, bytes);
            }
            Operation::Sql { call, .. } => add(&mut self.services.sql, sql_bytes(call)),
            // Bodies are counted as they pass.
            Operation::Bucket { .. } => add(&mut self.services.bucket, 0),
            Operation::Publish { events, .. } => {
                let bytes = events.iter().filter_map(|event| event.data.as_ref()).map(bytes::Bytes::len).sum();
                add(&mut self.services.event, bytes);
            }
            Operation::Secret { .. } => {}
        }
    }

    /// Counts what an answer carries.
    pub(crate) fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::StreamRecords(records) => {
                self.services.stream.bytes.0 += records.iter().map(|found| found.record.body.len() as u64).sum::<u64>();
            }
            Reply::SqlRows { rows, .. } => {
                let values = rows.iter().flat_map(|rows| rows.rows.iter().flatten());
                self.services.sql.bytes.0 += values.map(|value| value_bytes(value) as u64).sum::<u64>();
            }
            _ => {}
        }
    }
}

fn add(traffic: &mut Traffic, bytes: usize) {
    traffic.calls += 1;
    traffic.bytes.0 += bytes as u64;
}

pub(crate) fn sql_bytes(call: &SqlCall) -> usize {
    let statement = |statement: &Statement| statement.parameters.iter().map(value_bytes).sum::<usize>() + statement.text.len();
    match call {
        SqlCall::Connect => 0,
        SqlCall::Run(one) => statement(one),
        SqlCall::Batch(statements) => statements.iter().map(statement).sum(),
    }
}

/// The bytes of a value: numbers have eight.
pub(crate) fn value_bytes(value: &SqlValue) -> usize {
    match value {
        SqlValue::Null => 1,
        SqlValue::Integer(_) | SqlValue::Real(_) => 8,
        SqlValue::Text(text) => text.len(),
        SqlValue::Blob(bytes) => bytes.len(),
    }
}

/// The response's body as it leaves the guest: counted always, hashed only when it has to be. Most bodies are one piece, and of those
/// only the failed ones are ever hashed.
#[derive(Debug, Default)]
pub(crate) struct BodyTally {
    first: Bytes,
    rest: Option<Box<blake3::Hasher>>,
    bytes: u64,
}

impl BodyTally {
    pub(crate) fn add(&mut self, piece: &Bytes) {
        if self.bytes == 0 {
            self.first = piece.clone();
        } else {
            let first = &self.first;
            let begin = || {
                let mut hasher = blake3::Hasher::new();
                hasher.update(first);
                Box::new(hasher)
            };
            self.rest.get_or_insert_with(begin).update(piece);
        }
        self.bytes += piece.len() as u64;
    }

    pub(crate) fn digest(&self) -> BodyDigest {
        let hash = self.rest.as_ref().map_or_else(|| blake3::hash(&self.first), |hasher| hasher.finalize());
        let head = self.first.slice(..self.first.len().min(limits::JOURNAL_INLINE.as_usize()));
        BodyDigest { bytes: self.bytes, digest: Digest::from_bytes(*hash.as_bytes()), head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_one_digest_however_it_is_cut() {
        let digest = |pieces: &[&'static str]| {
            let mut tally = BodyTally::default();
            pieces.iter().for_each(|piece| tally.add(&Bytes::from_static(piece.as_bytes())));
            let BodyDigest { bytes, digest, .. } = tally.digest();
            (bytes, digest)
        };
        let whole = (11, Digest::from_bytes(*blake3::hash(b"hello world").as_bytes()));
        assert_eq!(digest(&["hello world"]), whole);
        assert_eq!(digest(&["hello", " ", "", "world"]), whole);
        assert_eq!(digest(&[]).1, Digest::from_bytes(*blake3::hash(b"").as_bytes()));
    }
}
