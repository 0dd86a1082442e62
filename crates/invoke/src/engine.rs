//! The engine: what invocations share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use ports::{
    Blob, Body, BoxFuture, Bus, Clock, Invocation, Invoker, Kv, Log, Objects, Outbound, Plane, Queue, Rng, Runtime, Secrets, Sql,
    Telemetry, Unit, runtime::ArtifactSource,
};
use types::{Code, Digest, Problem, Snapshot};

use crate::{gate::Gates, journal::seal::SealKey, memory::NodeMemory, path};

/// What an engine is made of. Every field is needed: what is left out does not compile.
pub struct Parts {
    /// Runs components.
    pub runtime: Arc<dyn Runtime>,
    /// Key-value stores of all apps.
    pub kv: Arc<dyn Kv>,
    /// Queues of all apps.
    pub queue: Arc<dyn Queue>,
    /// Streams of all apps.
    pub log: Arc<dyn Log>,
    /// Commits the effects of invocations.
    pub unit: Arc<dyn Unit>,
    /// Databases of all apps.
    pub sql: Arc<dyn Sql>,
    /// Buckets of all apps.
    pub objects: Arc<dyn Objects>,
    /// Secrets of all apps.
    pub secrets: Arc<dyn Secrets>,
    /// Knows who waits for which events.
    pub bus: Arc<dyn Bus>,
    /// The way out.
    pub outbound: Arc<dyn Outbound>,
    /// Takes records and journals.
    pub telemetry: Arc<dyn Telemetry>,
    /// Holds artifacts.
    pub blob: Arc<dyn Blob>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// Seals journals.
    pub seal_key: SealKey,
    /// The tokio runtime that guests move to once they have used up a slice of CPU.
    pub busy_lane: tokio::runtime::Handle,
}

/// The parts as invocations share them, and the permits.
pub(crate) struct Services {
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) kv: Arc<dyn Kv>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) unit: Arc<dyn Unit>,
    pub(crate) sql: Arc<dyn Sql>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) telemetry: Arc<dyn Telemetry>,
    pub(crate) artifacts: BlobArtifacts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) seal_key: SealKey,
    pub(crate) busy_lane: tokio::runtime::Handle,
    pub(crate) gates: Gates,
    pub(crate) memory: NodeMemory,
    /// What is served now, for functions that call one another.
    pub(crate) snapshot: ArcSwap<Snapshot>,
}

/// Runs invocations; knows the functions of the snapshot it was given last.
pub struct Engine {
    services: Arc<Services>,
}

impl Engine {
    /// An engine of these parts, with no function yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts {
            runtime,
            kv,
            queue,
            log,
            unit,
            sql,
            objects,
            secrets,
            bus,
            outbound,
            telemetry,
            blob,
            clock,
            rng,
            seal_key,
            busy_lane,
        } = parts;
        let services = Services {
            runtime,
            kv,
            queue,
            log,
            unit,
            sql,
            objects,
            secrets,
            bus,
            outbound,
            telemetry,
            artifacts: BlobArtifacts(blob),
            clock,
            rng,
            seal_key,
            busy_lane,
            gates: Gates::default(),
            memory: NodeMemory::of_machine(),
            snapshot: ArcSwap::default(),
        };
        Self { services: Arc::new(services) }
    }
}

impl Invoker for Engine {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<Response<Body>> {
        Box::pin(path::run(self.services.clone(), invocation))
    }
}

impl Plane for Engine {
    fn install(&self, snapshot: &Arc<Snapshot>) {
        self.services.gates.install(snapshot);
        self.services.snapshot.store(snapshot.clone());
    }
}

/// Artifacts as the blob store holds them.
pub(crate) struct BlobArtifacts(Arc<dyn Blob>);

#[async_trait]
impl ArtifactSource for BlobArtifacts {
    async fn artifact(&self, digest: &Digest) -> Result<Bytes, Problem> {
        let found = self.0.get(digest).await?;
        found.ok_or_else(|| Problem::new(Code::E0301, format!("the artifact {digest} is not in the store")))
    }
}
