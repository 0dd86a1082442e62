//! The way out, from the request of a function to the head of the answer.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use http::{Request, Response, request::Parts};
use http_body::Body as _;
use hyper::{body::Incoming, client::conn::TrySendError};
use ports::{Body, Clock, Outbound, outbound::OutboundRequest};
use types::{Elapsed, journal::Failure, limits, revision::AppKey};

use crate::{
    Guarding, Resolve, Roots,
    body::{Answered, Origin},
    connect::{after, connect, until},
    failure::{describe, failed},
    guard::Guard,
    headers,
    lookups::Lookups,
    pool::{Key, Pool, Sender},
    target::Target,
    tls::Tls,
};

/// What an [`Egress`] is made of.
pub struct EgressSettings {
    /// The platform's own listeners, peers and stores: no function may call them, whatever its reach says.
    pub own_addresses: Vec<SocketAddr>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Looks names up.
    pub resolver: Arc<dyn Resolve>,
    /// Whom to trust in https.
    pub roots: Roots,
    /// Whether addresses are judged.
    pub guarding: Guarding,
}

/// Sends functions' requests to the outside.
///
/// Connections are used again only for the tenant that opened them. Whoever sends on behalf of one says so by an [`AppKey`] among the
/// request's extensions; without it a connection serves one request.
pub struct Egress {
    clock: Arc<dyn Clock>,
    resolver: Arc<dyn Resolve>,
    lookups: Arc<Lookups>,
    guard: Guard,
    tls: Tls,
    pool: Arc<Pool>,
}

impl Egress {
    /// Makes the way out. Nothing is read or opened before the first call.
    #[must_use]
    pub fn new(settings: EgressSettings) -> Self {
        let EgressSettings { own_addresses, clock, resolver, roots, guarding } = settings;
        let guard = Guard::new(guarding, own_addresses);
        Self { clock, resolver, lookups: Arc::default(), guard, tls: Tls::new(roots), pool: Arc::default() }
    }

    async fn resolve(&self, target: &Target, tenant: Option<&AppKey>, deadline_ns: u64) -> Result<Vec<IpAddr>, Failure> {
        if let Some(address) = target.address {
            return Ok(vec![address]);
        }
        let host = &target.host;
        let Some(turn) = until(&*self.clock, deadline_ns, self.lookups.turn(tenant)).await else {
            return Err(failed(format!("dns: no answer about {host} in time: too many lookups wait")));
        };
        match until(&*self.clock, deadline_ns, turn.look_up(&self.resolver, host)).await {
            None => Err(failed(format!("dns: no answer about {host} in time"))),
            Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Some(Ok(_)) => Err(failed(format!("dns: no such host: {host}"))),
            Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Err(failed(format!("dns: no such host: {host}"))),
            Some(Err(error)) => Err(failed(format!("dns: {error}: {host}"))),
        }
    }

    fn key(&self, parts: &Parts, target: &Target, address: SocketAddr) -> Option<Key> {
        let tenant = parts.extensions.get::<AppKey>()?.clone();
        Some(Key { tenant, https: target.https, host: target.host.clone(), address })
    }

    /// A connection that waits for this tenant at one of the addresses just judged.
    fn waiting(&self, parts: &Parts, target: &Target, addresses: &[IpAddr]) -> Option<(Sender, Key)> {
        addresses.iter().find_map(|ip| {
            let key = self.key(parts, target, SocketAddr::new(*ip, target.port))?;
            Some((self.pool.take(&key, self.clock.monotonic_ns())?, key))
        })
    }
}

/// How a call on one connection went.
enum Sent {
    Answered(Response<Incoming>, Sender),
    /// The connection was closed before it took the request, which can go elsewhere.
    Untouched(Request<Body>),
    Failed(Failure),
}

/// Sends on this connection. The deadline is for the answer's head.
async fn send_on(clock: &dyn Clock, mut sender: Sender, target: &Target, request: Request<Body>, bound: Bound) -> Sent {
    let sent = async {
        match &mut sender {
            Sender::Http1(one) => match one.ready().await {
                Ok(()) => one.try_send_request(headers::for_http1(request, target)).await.map_err(Unsent::of),
                Err(_) => Err(Unsent::Untouched(Box::new(request))),
            },
            Sender::Http2(shared) => shared.try_send_request(headers::for_http2(request, target)).await.map_err(Unsent::of),
        }
    };
    let Some(sent) = until(clock, bound.deadline_ns, sent).await else {
        return Sent::Failed(failed(format!("no answer from {} for {}", target.host, bound.span)));
    };
    match sent {
        Ok(response) => Sent::Answered(response, sender),
        Err(Unsent::Untouched(request)) => Sent::Untouched(*request),
        Err(Unsent::Broken(error)) => Sent::Failed(failed(format!("the call to {} broke off: {error}", target.host))),
    }
}

/// A time limit, and when it is reached.
#[derive(Clone, Copy)]
struct Bound {
    span: Elapsed,
    deadline_ns: u64,
}

/// Why a connection gave no answer.
enum Unsent {
    Untouched(Box<Request<Body>>),
    Broken(String),
}

impl Unsent {
    fn of(mut error: TrySendError<Request<Body>>) -> Self {
        match error.take_message() {
            Some(request) => Self::Untouched(Box::new(request)),
            None => Self::Broken(describe(error.error())),
        }
    }
}

#[async_trait]
impl Outbound for Egress {
    /// # Cancel safety
    /// Dropping the future closes the connection; the other side may have acted on the request.
    async fn send(&self, outbound: OutboundRequest) -> Result<Response<Body>, Failure> {
        let OutboundRequest { request, private_named, connect_time, first_byte_time, between_bytes_time } = outbound;
        let target = Target::of(&request, private_named || self.guard.is_off())?;
        let (mut parts, body) = request.into_parts();
        headers::prepare(&mut parts.headers, body.size_hint().exact())?;

        let connect_deadline = after(&*self.clock, connect_time.min(limits::OUTBOUND_CONNECT_TIME));
        let addresses = self.resolve(&target, parts.extensions.get(), connect_deadline).await?;
        self.guard.check(&target, &addresses, private_named)?;

        let waiting = self.waiting(&parts, &target, &addresses);
        let tenant = parts.extensions.get::<AppKey>().cloned();
        parts.extensions = http::Extensions::new();
        let mut request = Request::from_parts(parts, body);
        let span = first_byte_time.min(limits::OUTBOUND_IDLE_TIME);
        let bound = || Bound { span: span.into(), deadline_ns: after(&*self.clock, span) };
        let idle = Elapsed::from(between_bytes_time.min(limits::OUTBOUND_IDLE_TIME));
        if let Some((sender, key)) = waiting {
            match send_on(&*self.clock, sender, &target, request, bound()).await {
                Sent::Answered(response, sender) => return Ok(self.answer(response, sender, Some(key), idle)),
                Sent::Failed(failure) => return Err(failure),
                Sent::Untouched(untouched) => request = untouched,
            }
        }
        let (sender, address) = connect(&*self.clock, &self.tls, &target, &addresses, connect_deadline).await?;
        let key = tenant.map(|tenant| Key { tenant, https: target.https, host: target.host.clone(), address });
        match send_on(&*self.clock, sender, &target, request, bound()).await {
            Sent::Answered(response, sender) => Ok(self.answer(response, sender, key, idle)),
            Sent::Failed(failure) => Err(failure),
            Sent::Untouched(_) => Err(failed(format!("{} closed the connection before it took the request", target.host))),
        }
    }
}

impl Egress {
    fn answer(&self, response: Response<Incoming>, sender: Sender, key: Option<Key>, idle: Elapsed) -> Response<Body> {
        let (mut head, incoming) = response.into_parts();
        headers::strip(&mut head.headers);
        let origin = Origin { sender, key, pool: Arc::clone(&self.pool) };
        let body = if incoming.is_end_stream() {
            origin.keep(self.clock.monotonic_ns());
            Body::Empty
        } else {
            Body::stream(Answered::new(incoming, origin, idle.ns(), Arc::clone(&self.clock)))
        };
        Response::from_parts(head, body)
    }
}
