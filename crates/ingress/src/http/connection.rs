//! One connection from its first byte to its last, on one task: finds the protocol, serves it with hyper, and watches the peer.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::{Either, select};
use http::{HeaderValue, uri::Authority};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use parking_lot::Mutex;
use tokio::{io::AsyncReadExt, net::TcpStream};
use types::Elapsed;

use super::{
    Drain, Framing, Gateway, GatewayLimits,
    framing::{HeadLimits, Scanner},
    service::Service,
    stall::Streams,
    watch::{DrainWatch, Verdict, Watch, after},
    wire::{Conn, Protocol, Wire},
};

/// How often an HTTP/2 peer is asked whether it is still there, and how long it has to answer.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Streams that an HTTP/2 peer may reset before they were looked at, and streams that failed on our side, before it is cut off.
const RESETS: (usize, usize) = (20, 128);
/// How long a socket is read out after the last answer, so that closing it doesn't destroy the answer on its way; and a stream of HTTP/2.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// How much is read out at most.
pub(super) const LINGER_BYTES: usize = 1 << 20;

/// Serves one connection to its end.
pub(crate) async fn serve(gateway: Arc<Gateway>, stream: TcpStream, drain: Drain) {
    let Ok(conn) = describe(&stream) else { return };
    let conn = Arc::new(conn);
    let mut wire = Wire::new(stream, Arc::clone(&conn), Arc::clone(&gateway.clock));
    let Some(protocol) = protocol(&gateway, &mut wire).await else { return };
    let service = Service::new(Arc::clone(&gateway), Arc::clone(&conn), drain.clone());
    let watch = Watch::new(&gateway.limits, Arc::clone(&gateway.clock), Arc::clone(&conn));
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
            let served = http2_builder(&gateway).serve_connection(wire, service);
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

fn http2_builder(gateway: &Gateway) -> http2::Builder<Streams> {
    let Gateway { limits, clock, .. } = gateway;
    let streams = Streams::new(Arc::clone(clock), Elapsed::from(limits.connection_idle_time).ns());
    let mut builder = http2::Builder::new(streams);
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
impl Served for http2::Connection<Wire, Service, Streams> {
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
            match watch.judge() {
                Verdict::Wait => {}
                Verdict::Cut => return Poll::Ready(Ended::Cut),
                Verdict::ExpireHead => watch.expire_head(),
                Verdict::CloseIdle => Pin::new(&mut *served).finish(),
            }
        }
    }
}
