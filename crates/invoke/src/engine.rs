//! The engine: what invocations share.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use ports::{
    Blob, Body, BoxFuture, Clock, Invocation, Invoker, Kv, Outbound, Plane, Rng, Runtime, Telemetry, runtime::ArtifactSource,
};
use types::{Code, Digest, Problem, Snapshot};

use crate::{gate::Gates, journal::seal::SealKey, memory::NodeMemory, path};

/// What an engine is made of. Every field is needed: what is left out does not compile.
pub struct Parts {
    /// Runs components.
    pub runtime: Arc<dyn Runtime>,
    /// Key-value stores of all apps.
    pub kv: Arc<dyn Kv>,
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
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) telemetry: Arc<dyn Telemetry>,
    pub(crate) artifacts: BlobArtifacts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) seal_key: SealKey,
    pub(crate) busy_lane: tokio::runtime::Handle,
    pub(crate) gates: Gates,
    pub(crate) memory: NodeMemory,
}

/// Runs invocations; knows the functions of the snapshot it was given last.
pub struct Engine {
    services: Arc<Services>,
}

impl Engine {
    /// An engine of these parts, with no function yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { runtime, kv, outbound, telemetry, blob, clock, rng, seal_key, busy_lane } = parts;
        let (artifacts, gates, memory) = (BlobArtifacts(blob), Gates::default(), NodeMemory::of_machine());
        let services = Services { runtime, kv, outbound, telemetry, artifacts, clock, rng, seal_key, busy_lane, gates, memory };
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
