//! Everything that holds apps' data, as control needs it: to make and empty resources with deployments, and for the routes below
//! `/v1/apps/{app}/{env}/` by which people look at it.

use std::sync::Arc;

use ports::{AccessKeys, AwsEndpoint, Bus, Feeds, Kv, Log, Objects, Queue, Schedules, Secrets, Sql, Unit};

/// The stores of apps' data. No `Default`: forget a field and it does not compile.
#[derive(Clone)]
pub struct Data {
    /// Key-value stores.
    pub kv: Arc<dyn Kv>,
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// Streams.
    pub log: Arc<dyn Log>,
    /// Several of them at once.
    pub unit: Arc<dyn Unit>,
    /// Databases.
    pub sql: Arc<dyn Sql>,
    /// Buckets.
    pub objects: Arc<dyn Objects>,
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Keys for AWS clients.
    pub access_keys: Arc<dyn AccessKeys>,
    /// Who waits for which changes.
    pub feeds: Arc<dyn Feeds>,
    /// Who waits for which events.
    pub bus: Arc<dyn Bus>,
    /// When functions run by themselves.
    pub schedules: Arc<dyn Schedules>,
    /// Where AWS clients connect.
    pub aws: Arc<dyn AwsEndpoint>,
}
