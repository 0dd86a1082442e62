//! One connection from its first byte to its last, on one task: finds the protocol, serves it with hyper, and watches the peer.
//!
//! The watch is one timer a connection, looked at lazily: it fires at most once in the shortest of the time limits, works out what is
//! due, and sleeps again. A request costs it nothing. It stands in for hyper's own timers, of which one more is made for every request
//! and none at all if the builder was given no clock (SECURITY H3).

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::{Either, select};
use http::{HeaderValue, uri::Authority};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use ports::BoxFuture;
use tokio::{io::AsyncReadExt, net::TcpStream};
use types::Elapsed;

use super::{
    Drain, Framing, Gateway, GatewayLimits,
    framing::{HeadLimits, Scanner},
    service::Service,
    wire::{Conn, Protocol, Wire},
};

/// How often an HTTP/2 peer is asked whether it is still there, and how long it has to answer.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Streams that an HTTP/2 peer may reset before they were looked at, and streams that failed on our side, before it is cut off.
const RESETS: (usize, usize) = (20, 128);
/// How long a socket is read out after the last answer, so that closing it doesn't destroy the answer on its way.
const LINGER: Duration = Duration::from_secs(1);
/// How much is read out at most.
const LINGER_BYTES: usize = 1 << 20;

/// Serves one connection to its end.
pub(crate) async fn serve(gateway: Arc<Gateway>, stream: TcpStream, drain: Drain) {
    let Ok(conn) = describe(&stream) else { return };
    let conn = Arc::new(conn);
    let mut wire = Wire::new(stream, Arc::clone(&conn), Arc::clone(&gateway.clock));
    let Some(protocol) = protocol(&gateway, &mut wire).await else { return };
    let service = Service::new(Arc::clone(&gateway), Arc::clone(&conn), drain.clone());
    let watch = Watch::new(&gateway, Arc::clone(&conn));
    match protocol {
        Protocol::Http1 => {
            wire.judge_by(scanner(&gateway));
            let served = http1_builder(&gateway.limits).serve_connection(wire, service);
            let mut watched = Watched { served: Some(served), watch, drain: DrainWatch::new(drain) };
            let ended = (&mut watched).await;
            if matches!(ended, Ended::Served)
                && let Some(served) = watched.served.take()
            {
                linger(&gateway, served.into_parts().io.into_stream()).await;
            }
        }
        Protocol::Http2 => {
            wire.judge_by(None);
            let served = http2_builder(&gateway.limits).serve_connection(wire, service);
            Watched { served: Some(served), watch, drain: DrainWatch::new(drain) }.await;
        }
    }
}

fn describe(stream: &TcpStream) -> io::Result<Conn> {
    stream.set_nodelay(true)?;
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    let peer = HeaderValue::try_from(peer.ip().to_canonical().to_string()).map_err(io::Error::other)?;
    Ok(Conn {
        peer,
        local: Authority::try_from(local.to_string()).map_err(io::Error::other)?,
        host: Mutex::new(None),
        seen: AtomicU64::new(0),
        open: AtomicU32::new(0),
        served: AtomicU64::new(0),
        head_since: AtomicU64::new(0),
        blocked_since: AtomicU64::new(0),
        head_expired: AtomicBool::new(false),
        broken: AtomicBool::new(false),
        refusal: Mutex::new(None),
    })
}

/// The protocol, if the peer says it in time. A connection on which nothing comes is closed without a word.
async fn protocol(gateway: &Gateway, wire: &mut Wire) -> Option<Protocol> {
    let first = std::future::poll_fn(|cx| wire.poll_protocol(cx));
    let late = gateway.clock.sleep_until(after(gateway.clock.monotonic_ns(), gateway.limits.header_time));
    match select(std::pin::pin!(first), late).await {
        Either::Left((Ok(protocol), _)) => Some(protocol),
        _ => None,
    }
}

fn scanner(gateway: &Gateway) -> Option<Scanner> {
    let GatewayLimits { uri, header_block, header_count, .. } = gateway.limits;
    let limits = HeadLimits { uri, block: header_block, count: header_count };
    (gateway.framing == Framing::Strict).then(|| Scanner::new(limits))
}

fn http1_builder(limits: &GatewayLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The scanner has bounded the head; hyper's bound only has to lie above it. The watch does what this timer would.
    let head = limits.header_block.as_usize() + limits.uri.as_usize();
    builder.max_buf_size((2 * head).max(64 << 10)).header_read_timeout(None).half_close(false);
    builder
}

fn http2_builder(limits: &GatewayLimits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams)
        .max_header_list_size(u32::try_from(limits.header_block.0).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(RESETS.0)
        .max_local_error_reset_streams(RESETS.1)
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1);
    builder
}

/// Reads out what the peer still sends: closing a socket with unread bytes resets the connection, and a reset overtakes the answer.
async fn linger(gateway: &Gateway, mut stream: TcpStream) {
    let read_out = async {
        let (mut scratch, mut read) = ([0; 4096], 0);
        while let Ok(length @ 1..) = stream.read(&mut scratch).await {
            read += length;
            if read > LINGER_BYTES {
                break;
            }
        }
    };
    let late = gateway.clock.sleep_until(after(gateway.clock.monotonic_ns(), LINGER));
    select(std::pin::pin!(read_out), late).await;
}

fn after(now: u64, span: Duration) -> u64 {
    now.saturating_add(Elapsed::from(span).ns())
}

/// What the watch finds when its timer fires.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing is due before this time.
    Wait(u64),
    /// The head that is coming took too long.
    ExpireHead,
    /// No request for too long.
    CloseIdle,
    /// The peer takes no bytes for too long.
    Cut,
}

/// Judges how long the peer has been slow or silent.
struct Watch {
    conn: Arc<Conn>,
    clock: Arc<dyn ports::Clock>,
    header_ns: u64,
    idle_ns: u64,
    /// Since when no request was open, as far as was noticed, and how many there had been.
    quiet: Option<(u64, u64)>,
    timer: BoxFuture<()>,
    /// When the timer fires, and the last time of a request that was compared with it.
    armed: u64,
    compared: u64,
}

impl Watch {
    fn new(gateway: &Gateway, conn: Arc<Conn>) -> Self {
        let ns = |span: Duration| Elapsed::from(span).ns();
        let (header_ns, idle_ns) = (ns(gateway.limits.header_time), ns(gateway.limits.connection_idle_time));
        let now = gateway.clock.monotonic_ns();
        let armed = now.saturating_add(header_ns.min(idle_ns));
        let timer = gateway.clock.sleep_until(armed);
        Self { conn, clock: Arc::clone(&gateway.clock), header_ns, idle_ns, quiet: None, timer, armed, compared: u64::MAX }
    }

    /// Whether it is time to judge. If a request has just come and its time is before the timer's, then it was the request that woke
    /// the task, and the timer, which knows the task, need not be asked.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let registered = self.compared != u64::MAX;
        let seen = self.conn.seen.load(Ordering::Relaxed);
        let news = seen != self.compared;
        self.compared = seen;
        if registered && news && seen < self.armed { Poll::Pending } else { self.timer.as_mut().poll(cx) }
    }

    fn arm(&mut self, at: u64) {
        self.armed = at;
        self.timer = self.clock.sleep_until(at);
        self.compared = u64::MAX;
    }

    /// What is due. Whatever begins after this has at least the shortest limit left, so a timer at the answer is never late.
    fn judge(&mut self, now: u64) -> Verdict {
        let load = |since: &AtomicU64| Some(since.load(Ordering::Relaxed)).filter(|since| *since != 0);
        let head = load(&self.conn.head_since).map(|since| since.saturating_add(self.header_ns));
        let blocked = load(&self.conn.blocked_since).map(|since| since.saturating_add(self.idle_ns));
        let served = self.conn.served.load(Ordering::Relaxed);
        let quiet = head.is_none() && self.conn.open.load(Ordering::Relaxed) == 0;
        self.quiet = match self.quiet {
            Some((since, then)) if quiet && then == served => Some((since, then)),
            _ if quiet => Some((now, served)),
            _ => None,
        };
        let idle = self.quiet.map(|(since, _)| since.saturating_add(self.idle_ns));
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if due(blocked) {
            return Verdict::Cut;
        }
        if due(head) {
            return Verdict::ExpireHead;
        }
        if due(idle) {
            return Verdict::CloseIdle;
        }
        let longest = now.saturating_add(self.header_ns.min(self.idle_ns));
        Verdict::Wait([head, blocked, idle].into_iter().flatten().fold(longest, u64::min))
    }
}

/// The signal to drain, asked for cheaply: the task is registered once and then only a flag is read.
struct DrainWatch {
    drain: Drain,
    begun: BoxFuture<()>,
    state: DrainState,
}

#[derive(PartialEq, Eq)]
enum DrainState {
    Unregistered,
    Registered,
    Told,
}

impl DrainWatch {
    fn new(drain: Drain) -> Self {
        Self { begun: Box::pin(drain.clone().begun()), drain, state: DrainState::Unregistered }
    }
    /// Whether draining began; true once. The first call registers the task, which is the same for all of a connection's life.
    fn poll_begun(&mut self, cx: &mut Context<'_>) -> bool {
        let begun = match self.state {
            DrainState::Unregistered => {
                self.state = DrainState::Registered;
                self.begun.as_mut().poll(cx).is_ready()
            }
            DrainState::Registered => self.drain.has_begun(),
            DrainState::Told => return false,
        };
        if begun {
            self.state = DrainState::Told;
        }
        begun
    }
}

/// A connection that hyper serves.
trait Served: Future + Unpin {
    /// Finishes the open requests and takes no more.
    fn finish(self: Pin<&mut Self>);
}

impl Served for http1::Connection<Wire, Service> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
impl Served for http2::Connection<Wire, Service, TokioExecutor> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// How a watched connection ended.
enum Ended {
    /// hyper was done with it and has shut down its half.
    Served,
    /// It was cut off.
    Cut,
}

/// A served connection under watch.
struct Watched<S> {
    served: Option<S>,
    watch: Watch,
    drain: DrainWatch,
}

impl<S: Served> Future for Watched<S> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { served, watch, drain } = self.get_mut();
        let Some(served) = served else { return Poll::Ready(Ended::Cut) };
        if drain.poll_begun(cx) {
            Pin::new(&mut *served).finish();
        }
        loop {
            if Pin::new(&mut *served).poll(cx).is_ready() {
                return Poll::Ready(Ended::Served);
            }
            if watch.poll_due(cx).is_pending() {
                return Poll::Pending;
            }
            let now = watch.clock.monotonic_ns();
            let next = match watch.judge(now) {
                Verdict::Wait(until) => until,
                Verdict::Cut => return Poll::Ready(Ended::Cut),
                Verdict::ExpireHead => {
                    watch.conn.head_expired.store(true, Ordering::Relaxed);
                    now.saturating_add(watch.header_ns)
                }
                Verdict::CloseIdle => {
                    Pin::new(&mut *served).finish();
                    now.saturating_add(watch.header_ns)
                }
            };
            watch.arm(next);
        }
    }
}
