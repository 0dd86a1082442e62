//! What is counted while an invocation runs. Counting goes on when the journal is full, so bills stay exact.

use bytes::Bytes;
use types::{
    Digest,
    journal::{BodyDigest, Operation},
    limits,
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
}

impl Counts {
    pub(crate) fn call(&mut self, operation: &Operation) {
        match operation {
            Operation::Http { .. } => self.outbound_calls += 1,
            Operation::KvGet { .. } | Operation::KvGetMany { .. } | Operation::KvList { .. } | Operation::KvCommit { .. } => {
                self.kv_calls += 1;
            }
        }
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
