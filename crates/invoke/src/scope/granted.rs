//! Least privilege: a function can do what its manifest names and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, Uri};
use ports::{BoxStream, Clock, Kv, Outbound, StoreError, body::Body, outbound::OutboundRequest};
use types::{
    Cause, Code, Elapsed, Function,
    app::{Access, Resource, ResourceKind},
    journal::Failure,
    kv::{Change, Committed, Entry, Namespace, Transaction, WatchFrom, Write},
    limits,
};

use super::{
    internal::{self, Internal},
    service::read_only,
};

/// A key-value store under a grant. What is written says what wrote it, and lives as long as the app says.
pub(crate) struct GrantedKv {
    inner: Arc<dyn Kv>,
    access: Access,
    resource: Resource,
    cause: Cause,
    /// How long entries live that are written without an expiry, with the clock that tells when that is.
    expire: Option<(Elapsed, Arc<dyn Clock>)>,
}

impl GrantedKv {
    pub(crate) fn new(inner: Arc<dyn Kv>, access: Access, store: &str, cause: Cause) -> Self {
        Self { inner, access, resource: Resource { kind: ResourceKind::Kv, name: store.to_owned() }, cause, expire: None }
    }

    /// Gives entries a life of this long that are written without one.
    pub(crate) fn expiring(self, after: Option<Duration>, clock: &Arc<dyn Clock>) -> Self {
        Self { expire: after.map(|after| (Elapsed::from(after), clock.clone())), ..self }
    }

    fn date(&self, writes: &mut [Write]) {
        let Some((after, clock)) = &self.expire else { return };
        let at = clock.now().plus(*after);
        for write in writes {
            if let Write::Put { expires, .. } = write {
                expires.get_or_insert(at);
            }
        }
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
    async fn commit(&self, namespace: &Namespace, mut transaction: Transaction) -> Result<Committed, StoreError> {
        if self.access == Access::Read {
            return Err(read_only(&self.resource));
        }
        self.date(&mut transaction.writes);
        transaction.cause = Some(self.cause);
        self.inner.commit(namespace, transaction).await
    }
    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        self.inner.watch(namespace, prefix, from).await
    }
}

/// The way out under a function's reach.
pub(crate) struct GrantedOutbound {
    pub(crate) inner: Arc<dyn Outbound>,
    /// The way to the app's own functions.
    pub(crate) internal: Internal,
    pub(crate) calls: AtomicU32,
    /// What a call's key is made from where a run may be a repetition; `None` for requests.
    pub(crate) repeatable: Option<Arc<[u8; 32]>>,
}

impl GrantedOutbound {
    /// A repeated delivery makes the same calls again: whoever is called can tell by the key, which is the same each time.
    fn mark(&self, request: &mut OutboundRequest, call: u32) {
        let Some(run) = &self.repeatable else { return };
        let name = HeaderName::from_static("idempotency-key");
        request.request.headers_mut().entry(name).or_insert_with(|| {
            let mut hasher = blake3::Hasher::new_keyed(run);
            hasher.update(&call.to_be_bytes());
            let key = hasher.finalize().to_hex();
            HeaderValue::from_str(&key[..32]).expect("hexadecimal digits are a header's value")
        });
    }
}

#[async_trait]
impl Outbound for GrantedOutbound {
    async fn send(&self, mut request: OutboundRequest) -> Result<Response<Body>, Failure> {
        let made = self.calls.fetch_add(1, Ordering::Relaxed);
        if made >= limits::OUTBOUND_CALLS {
            let message = format!("outbound calls {}, allowed {}", made + 1, limits::OUTBOUND_CALLS);
            return Err(Failure { code: Code::E0510, message });
        }
        let function = &self.internal.function;
        request.private_named = reached(&function.function, request.request.uri())?;
        self.mark(&mut request, made);
        if let Some(name) = internal::name(request.request.uri()).map(str::to_owned) {
            return self.internal.call(&name, request).await;
        }
        // Connections are kept and used again within an app, never across apps.
        request.request.extensions_mut().insert(function.key.clone());
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
