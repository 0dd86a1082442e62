//! Least privilege: a function can do what its manifest names and nothing else.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, Uri};
use ports::{BoxStream, Kv, Outbound, StoreError, body::Body, outbound::OutboundRequest};
use types::{
    Code, Function, Grant,
    app::{Access, Resource, ResourceKind},
    journal::Failure,
    kv::{Change, Committed, Entry, Namespace, Transaction, WatchFrom},
    limits,
};

/// What the grants allow with a key-value store.
///
/// # Errors
/// `E0201` if they don't name it.
pub(crate) fn kv_access(function: &str, uses: &[Grant], store: &str) -> Result<Access, Failure> {
    let named = |grant: &&Grant| grant.resource.kind == ResourceKind::Kv && grant.resource.name == store;
    uses.iter().find(named).map(|grant| grant.access).ok_or_else(|| Failure {
        code: Code::E0201,
        message: format!("{function} was not granted kv.{store}: add \"kv.{store}\" to uses in [fn.{function}]"),
    })
}

/// A key-value store under a grant.
pub(crate) struct GrantedKv {
    inner: Arc<dyn Kv>,
    access: Access,
    resource: Resource,
}

impl GrantedKv {
    pub(crate) fn new(inner: Arc<dyn Kv>, access: Access, store: &str) -> Self {
        Self { inner, access, resource: Resource { kind: ResourceKind::Kv, name: store.to_owned() } }
    }
}

#[async_trait]
impl Kv for GrantedKv {
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError> {
        self.inner.get(namespace, key).await
    }
    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.inner.get_many(namespace, keys).await
    }
    async fn list(
        &self,
        namespace: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.list(namespace, prefix, after, limit).await
    }
    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        match self.access {
            Access::ReadWrite => self.inner.commit(namespace, transaction).await,
            Access::Read => {
                let Self { resource, .. } = self;
                Err(StoreError::Denied(format!(
                    "{resource} is granted for reading only: write \"{resource}\" instead of \"{resource}:read\""
                )))
            }
        }
    }
    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        self.inner.watch(namespace, prefix, from).await
    }
}

/// The way out under a function's reach.
pub(crate) struct GrantedOutbound {
    inner: Arc<dyn Outbound>,
    function: Arc<types::LiveFunction>,
    calls: std::sync::atomic::AtomicU32,
}

impl GrantedOutbound {
    pub(crate) fn new(inner: Arc<dyn Outbound>, function: Arc<types::LiveFunction>) -> Self {
        Self { inner, function, calls: std::sync::atomic::AtomicU32::new(0) }
    }
}

#[async_trait]
impl Outbound for GrantedOutbound {
    async fn send(&self, mut request: OutboundRequest) -> Result<Response<Body>, Failure> {
        let made = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if made >= limits::OUTBOUND_CALLS {
            let message = format!("outbound calls {}, allowed {}", made + 1, limits::OUTBOUND_CALLS);
            return Err(Failure { code: Code::E0510, message });
        }
        request.private_named = reached(&self.function.function, request.request.uri())?;
        // Connections are kept and used again within an app, never across apps.
        request.request.extensions_mut().insert(self.function.key.clone());
        self.inner.send(request).await
    }
}

/// Whether the function's reach covers the address, and if so whether it names the port, which opens private addresses.
///
/// # Errors
/// `E0207` if it does not; the message says what to add.
fn reached(function: &Function, uri: &Uri) -> Result<bool, Failure> {
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let covering = function.reach.iter().filter(|reach| reach.covers(scheme, host, port));
    let mut named = covering.map(|reach| reach.port_named && !reach.host.starts_with("*."));
    match named.next() {
        Some(first) => Ok(first || named.any(|named| named)),
        None => {
            let authority = uri.authority().map_or(host, |authority| authority.as_str());
            let name = &function.name;
            let message = format!("{name} may not reach {host}: allow it with dayfly allow {name} {scheme}://{authority}");
            Err(Failure { code: Code::E0207, message })
        }
    }
}
