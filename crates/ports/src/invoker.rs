//! The way from a trigger to a function.

use std::sync::Arc;

use types::{LiveFunction, TraceContext};

use crate::{Body, BoxFuture};

/// What a trigger asks for.
#[derive(Debug)]
pub struct Invocation {
    /// The function of the revision that is to run.
    pub function: Arc<LiveFunction>,
    /// The request. Its URI is absolute: scheme, authority, path and query as the guest is to see them.
    pub request: http::Request<Body>,
    /// The caller's place in a trace, if it named one.
    pub parent: Option<TraceContext>,
    /// When the trigger received it, by `Clock::monotonic_ns`.
    pub received_ns: u64,
}

/// Runs functions: admission, placement, call and settlement.
pub trait Invoker: Send + Sync {
    /// Runs the invocation and gives the response. Failures are responses too: their body is the problem, their status the code's.
    ///
    /// # Cancel safety
    /// Dropping the future ends the invocation and settles it as `E0511`.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<http::Response<Body>>;
}
