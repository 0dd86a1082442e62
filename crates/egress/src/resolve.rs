//! From names to addresses. The one place that asks: an address that was judged is never looked up again.

use std::{io, net::IpAddr};

use async_trait::async_trait;

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of the host, in the order in which they should be tried.
    ///
    /// # Errors
    /// Whatever the lookup failed with; `NotFound` if there is no such host.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own resolver: its hosts file, its name servers, its search list.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await.map_err(named)?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// The system gives lookups that found nothing no kind of their own, only a text.
fn named(error: io::Error) -> io::Error {
    let text = error.to_string();
    let missing = ["Name or service not known", "No address associated", "nodename nor servname"];
    if missing.iter().any(|words| text.contains(words)) { io::Error::new(io::ErrorKind::NotFound, "no such host") } else { error }
}
