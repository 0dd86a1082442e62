//! HTTP to the outside.

use std::time::Duration;

use async_trait::async_trait;
use types::journal::Failure;

use crate::Body;

/// A request to the outside with the caller's bounds, which only ever narrow the platform's.
#[derive(Debug)]
pub struct OutboundRequest {
    /// The request, with an absolute URI. Its extensions may hold the [`AppKey`](types::AppKey) it is sent for: connections are used
    /// again only among requests with the same one, and not at all without.
    pub request: http::Request<Body>,
    /// Whether the function's reach names this host and port: only then may the address be private.
    pub private_named: bool,
    /// The most time for connecting.
    pub connect_time: Duration,
    /// The most time from the request to the response's first byte.
    pub first_byte_time: Duration,
    /// The most time between bytes of the response.
    pub between_bytes_time: Duration,
}

/// The only way out. Resolves names itself, checks every address, connects to the address that was checked, follows no redirect.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends the request and gives the response once its head is here.
    ///
    /// # Errors
    /// `E0207`, `E0208` and `E0210` for what may not be sent, `E0209` for what failed on the way.
    async fn send(&self, request: OutboundRequest) -> Result<http::Response<Body>, Failure>;
}
