//! All that one running guest can touch, and all that it tells.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use types::{
    ByteCount, Timestamp,
    journal::{Failure, Level},
    kv::Namespace,
    object::BucketName,
    queue::QueueName,
    sql::{DatabaseName, SqlAccess},
    stream::StreamName,
};

use crate::{Body, BoxFuture, Kv, Log, Objects, Outbound, Publish, Queue, Sql, Tape, secrets::SecretValue};

/// A key-value store that was opened: the store with all its decorators, and the namespace to name in each call.
#[derive(Clone)]
pub struct OpenKv {
    /// The store.
    pub kv: Arc<dyn Kv>,
    /// The namespace.
    pub namespace: Namespace,
}

/// A queue that was opened.
#[derive(Clone)]
pub struct OpenQueue {
    /// The queue's store.
    pub queue: Arc<dyn Queue>,
    /// What to name in each call.
    pub name: QueueName,
}

/// A stream that was opened.
#[derive(Clone)]
pub struct OpenStream {
    /// The stream's store.
    pub log: Arc<dyn Log>,
    /// What to name in each call.
    pub name: StreamName,
}

/// A database that was opened.
#[derive(Clone)]
pub struct OpenSql {
    /// The databases.
    pub sql: Arc<dyn Sql>,
    /// What to name in each call.
    pub database: DatabaseName,
    /// What to connect with.
    pub access: SqlAccess,
}

/// A bucket that was opened.
#[derive(Clone)]
pub struct OpenBucket {
    /// The buckets.
    pub objects: Arc<dyn Objects>,
    /// What to name in each call.
    pub bucket: BucketName,
}

/// The world of one invocation. Every service is already wrapped: granted, metered, traced, recorded or replayed.
///
/// A runtime calls it from within the guest's host calls. None of the plain methods waits.
pub trait Scope: Send + Sync {
    /// Opens a key-value store by the name that the function knows it by.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it.
    fn kv(&self, store: &str) -> Result<OpenKv, Failure>;
    /// Opens a queue to send to.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it, `E0202` if only for reading.
    fn queue(&self, name: &str) -> Result<OpenQueue, Failure>;
    /// Opens a stream.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it.
    fn stream(&self, name: &str) -> Result<OpenStream, Failure>;
    /// Opens a database.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it.
    fn sql(&self, name: &str) -> Result<OpenSql, Failure>;
    /// Opens a bucket.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it.
    fn bucket(&self, name: &str) -> Result<OpenBucket, Failure>;
    /// Opens a bus to publish to.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it.
    fn bus(&self, name: &str) -> Result<Arc<dyn Publish>, Failure>;
    /// A secret's newest value; `None` if it was never set.
    ///
    /// # Errors
    /// `E0201` if the function was not granted it.
    fn secret(&self, name: &str) -> BoxFuture<Result<Option<SecretValue>, Failure>>;
    /// The names of the secrets that the function was granted.
    fn secrets(&self) -> Vec<String>;
    /// The CloudEvents source of events that the function publishes without naming one: `/APP/FUNCTION`.
    fn source(&self) -> String;
    /// The way out.
    fn outbound(&self) -> Arc<dyn Outbound>;
    /// The environment variables, which are also the settings that `wasi:config` serves.
    fn environment(&self) -> &BTreeMap<String, String>;

    /// The wall clock as the guest sees it; recorded and replayed.
    fn wall_now(&self) -> Timestamp;
    /// The monotonic clock as the guest sees it, in nanoseconds; recorded and replayed.
    fn monotonic_now(&self) -> u64;
    /// Ends once the guest's monotonic clock has reached the value; at once in replay.
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()>;
    /// Random bytes from this invocation's seed.
    fn random(&self, bytes: &mut [u8]);
    /// Whether the time limit is as good as used up, so that a guest that can say where it is had better do so. Never recorded: a run that
    /// acts on it ends.
    fn is_overdue(&self) -> bool {
        false
    }
    /// Records and replays what the runtime itself decides.
    fn tape(&self) -> &dyn Tape;

    /// The instance is made, and the guest's own code is about to run. Called once; what came before is the start.
    fn instantiated(&self);
    /// A line of log. Lines over the limits are cut or dropped, and counted.
    fn log(&self, level: Level, context: &str, text: &str);
    /// The guest's linear memory is now this large.
    fn memory(&self, bytes: ByteCount);
    /// Memory or a table was not grown.
    fn grow_denied(&self, wanted: u64, allowed: u64);
    /// Something was refused that the guest may survive.
    fn refused(&self, failure: &Failure);
    /// Bytes of the request's body went to the guest.
    fn body_read(&self, bytes: u64);
    /// The response. Called at most once.
    fn respond(&self, response: http::Response<Body>);
    /// Bytes of the response's body left the guest; called in order, after `respond` or before it.
    fn body_written(&self, bytes: &Bytes);
}
