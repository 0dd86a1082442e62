//! What the endpoint is made of, and its bounds.

use std::{sync::Arc, time::Duration};

use ports::{AccessKeys, Clock, Objects, Rng};
use types::{AppKey, ByteCount, limits};

/// What the endpoint needs.
#[derive(Clone)]
pub struct Settings {
    /// Where objects lie.
    pub objects: Arc<dyn Objects>,
    /// Whose signatures count.
    pub access_keys: Arc<dyn AccessKeys>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for the ids of requests.
    pub rng: Arc<dyn Rng>,
    /// Whether checksums are compared. It is `Off` only where a test shows what would happen.
    pub verification: Verification,
    /// Bounds.
    pub limits: S3Limits,
    /// Who is told what was used.
    pub meter: Option<Arc<dyn Meter>>,
}

/// Whether checksums that clients send are compared with what they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Always, in production.
    On,
    /// Never: the control of the tests.
    Off,
}

/// The bounds of the endpoint. The defaults are those of `types::limits`.
#[derive(Debug, Clone)]
pub struct S3Limits {
    /// Concurrent connections.
    pub connections: usize,
    /// A request's line and header block together.
    pub head: ByteCount,
    /// From the first byte of a request to the end of its header block.
    pub head_time: Duration,
    /// Between two bytes of a request body, and until a peer takes more of a response.
    pub body_idle_time: Duration,
    /// A kept-alive connection with no request on it.
    pub connection_idle_time: Duration,
    /// Open requests get this long to finish when the node drains.
    pub drain_time: Duration,
    /// The smallest part of an upload but its last.
    pub part_min: ByteCount,
    /// An XML body.
    pub xml: ByteCount,
    /// An object that comes as a form, which is held in memory.
    pub form: ByteCount,
}

impl Default for S3Limits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            head: ByteCount(limits::HEADER_BLOCK.0 + limits::URI.0),
            head_time: limits::HEADER_TIME,
            body_idle_time: limits::BODY_IDLE_TIME,
            connection_idle_time: limits::CONNECTION_IDLE_TIME,
            drain_time: limits::DRAIN_TIME,
            part_min: ByteCount::mib(5),
            xml: ByteCount::mib(8),
            form: ByteCount::mib(16),
        }
    }
}

/// What one request used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The operation as the S3 API names it: `PutObject`.
    pub operation: &'static str,
    /// The status of the response.
    pub status: u16,
    /// Bytes of its body that were read.
    pub bytes_in: u64,
    /// Bytes of the response's body that were taken.
    pub bytes_out: u64,
}

/// Is told what each request used, once it is over. Called on the request's task: it must not wait.
pub trait Meter: Send + Sync {
    /// One request of an app is over.
    fn used(&self, app: &AppKey, used: &Used);
}
