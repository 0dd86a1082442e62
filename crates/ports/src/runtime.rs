//! What runs functions' code.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use types::{Code, Digest, Limits, Problem, StartClass};

use crate::{Body, Scope};

/// What checking and compiling an artifact told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The size of the artifact in bytes.
    pub artifact_bytes: u64,
    /// The size of the compiled code in bytes.
    pub compiled_bytes: u64,
    /// Whether it was compiled before.
    pub cached: bool,
    /// The interfaces it imports, as `namespace:package/interface@version`.
    pub imports: Vec<String>,
    /// What a script's top-level code logged.
    pub logs: Vec<String>,
}

/// One kind of code: compiles, loads and runs it. No type of the engine crosses this border.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Version and settings of the engine, as far as guests or recorded journals can tell.
    fn engine(&self) -> &str;

    /// Checks the artifact and compiles it, in a process of its own with limits on time and memory. Called at deploy.
    ///
    /// # Errors
    /// An `E03` problem that says what is wrong with the artifact.
    async fn prepare(&self, digest: &Digest, artifact: &[u8]) -> Result<Prepared, Problem>;

    /// The code, if it is in memory. Called for every invocation: takes no lock that loading holds, waits for nothing.
    fn resident(&self, digest: &Digest) -> Option<Arc<dyn Loaded>>;

    /// The code from disk; compiled from `artifact` first if it never was or the engine has changed since.
    async fn load(&self, digest: &Digest, artifact: &dyn ArtifactSource) -> Result<(Arc<dyn Loaded>, StartClass), Problem>;

    /// Makes anew, one after another, what this version of the platform can't use as an earlier one left it, so that no request has to wait
    /// for that. Called once after the start with the artifacts of everything that is deployed; what fails is logged and tried again by `load`.
    async fn refresh(&self, _digests: Vec<Digest>, _artifacts: Arc<dyn ArtifactSource>) {}

    /// Removes what was made of other artifacts than these. What is in use stays in use, and what is needed after all is made again by `load`.
    async fn retain(&self, _kept: BTreeSet<Digest>) {}
}

/// Where a runtime gets an artifact that it has to compile after all.
#[async_trait]
pub trait ArtifactSource: Send + Sync {
    /// The artifact's bytes.
    async fn artifact(&self, digest: &Digest) -> Result<bytes::Bytes, Problem>;
}

/// One run to be started.
pub struct Call {
    /// The request, with an absolute URI.
    pub request: http::Request<Body>,
    /// All that the guest may touch. Whatever it does goes through here.
    pub scope: Arc<dyn Scope>,
    /// Its bounds. The wall time is kept by whoever polls the run.
    pub limits: Limits,
}

/// Code in memory, ready to run.
pub trait Loaded: Send + Sync {
    /// Makes an instance for this one call and runs it. Nothing happens before the first poll. Dropping the run ends the guest.
    ///
    /// The response is given through [`Scope::respond`], and its body may go on until the run ends.
    fn call(self: Arc<Self>, call: Call) -> std::pin::Pin<Box<dyn Run>>;
}

/// A running guest: a future of its end.
pub trait Run: Future<Output = Ended> + Send {
    /// Whether it has used up a slice of CPU time, so that it had better run beside its like and not beside short requests.
    fn is_busy(&self) -> bool;

    /// Whether its last poll ended although it could go on, since its slice was used up. It has itself polled again.
    fn could_go_on(&self) -> bool {
        false
    }
}

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It returned. Whether it answered, the scope knows.
    Returned,
    /// It was stopped.
    Stopped(Fault),
}

/// Why a guest was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which failure.
    pub code: Code,
    /// What happened, for people, with control characters escaped.
    pub message: String,
    /// The guest's calls, innermost first, already readable: `api::handler::price (src/lib.rs:12)`.
    pub backtrace: Vec<String>,
}
