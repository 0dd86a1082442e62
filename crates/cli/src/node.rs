//! The seam to a node in this process: `up`, `server` and `replay` need one, and the crate that puts it together is not known here.

use std::{net::SocketAddr, path::PathBuf, pin::Pin};

use bytes::Bytes;
use types::{Elapsed, Problem, revision::AppKey, wire::replay::ReplayReport};

/// A boxed future, as this seam hands them out.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a node is started with. There is no `Default`: whoever starts one decides on each field, with the constants here at hand.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Where everything is kept. Made if it is not there; locked while the node runs.
    pub data_dir: PathBuf,
    /// Where the gateway listens. Port 0 takes a free one.
    pub gateway_addr: SocketAddr,
    /// Where the control API listens. Port 0 takes a free one.
    pub control_addr: SocketAddr,
    /// Where AWS clients are served. Port 0 takes a free one.
    pub aws_addr: SocketAddr,
    /// The token that the control API asks for. `None`: the one kept in [`TOKEN_FILE`], or a new one that is kept there.
    pub token: Option<String>,
    /// The app that answers to hosts which no app names. `None`: the only app, while there is only one.
    pub default_app: Option<AppKey>,
    /// The domain below which apps answer as `<app>.<domain>`, beside `<app>.localhost`.
    pub domain: Option<String>,
}

/// Where the gateway listens unless told otherwise.
pub const GATEWAY_ADDR: &str = "127.0.0.1:4000";
/// Where the control API listens unless told otherwise.
pub const CONTROL_ADDR: &str = "127.0.0.1:4001";
/// Where AWS clients are served unless told otherwise: where their emulators listen.
pub const AWS_ADDR: &str = "127.0.0.1:4566";
/// The file in the data folder that holds the token of the control API, readable by its owner only.
pub const TOKEN_FILE: &str = "token";

/// A node that runs.
pub struct RunningNode {
    /// The gateway's address as a URL, without a slash at its end.
    pub gateway_url: String,
    /// The control API's address as a URL, without a slash at its end.
    pub control_url: String,
    /// The address for AWS clients as a URL, without a slash at its end.
    pub aws_url: String,
    /// The token that the control API asks for.
    pub token: String,
    /// From the call of `start` until both listened.
    pub started_in: Elapsed,
    /// Stops the node.
    pub stop: Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>,
}

impl RunningNode {
    /// Takes no more requests, lets the open ones finish within the drain time, makes everything recorded durable, and ends.
    pub async fn shutdown(self) {
        (self.stop)().await;
    }
}

/// What is replayed, and how.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// Where compiled code is cached.
    pub cache_dir: PathBuf,
    /// An exported invocation, as `GET /v1/invocations/{id}/export` gives it.
    pub export: Bytes,
    /// Another component to run against the record.
    pub with: Option<Bytes>,
    /// Stop before this step of the record, counting from 0.
    pub until: Option<u32>,
}

/// What can run functions in this process.
pub trait Node: Send + Sync {
    /// Starts a node, which serves until it is shut down.
    ///
    /// # Errors
    /// `E0701` if a port is in use, `E0607` if the data folder is, `E06` for what its stores say.
    fn start(&self, options: NodeOptions) -> BoxFuture<'_, Result<RunningNode, Problem>>;

    /// Replays a recorded invocation: no network, no store, no clock.
    ///
    /// # Errors
    /// `E08` for what can't be replayed. A replay that parts from the record is no error: the report says where.
    fn replay(&self, options: ReplayOptions) -> BoxFuture<'_, Result<ReplayReport, Problem>>;
}
