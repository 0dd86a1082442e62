//! What triggers are made of.

use std::{sync::Arc, time::Duration};

use ports::{Clock, Invoker, Kv, Log, Queue, Rng, Sql, Unit};

/// All that triggers need.
pub struct TriggerSettings {
    /// Runs the functions.
    pub invoker: Arc<dyn Invoker>,
    /// Where events wait.
    pub queue: Arc<dyn Queue>,
    /// Streams.
    pub log: Arc<dyn Log>,
    /// Moves a forwarder's position together with what it forwards.
    pub unit: Arc<dyn Unit>,
    /// Where forwarders keep their positions.
    pub kv: Arc<dyn Kv>,
    /// Databases whose rows are watched.
    pub sql: Arc<dyn Sql>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries, and draws which revision gets a batch.
    pub rng: Arc<dyn Rng>,
    /// This node's name among those that read the same streams; the same after a restart, so that it goes on at once.
    pub member: String,
    /// How long open invocations have once the node drains.
    pub drain_time: Duration,
}
