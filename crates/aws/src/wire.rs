//! The bytes of a connection as they pass, noted so that peers that are slow or silent are told from a store at work.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use ports::Clock;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use types::Elapsed;

use crate::settings::S3Limits;

/// What a connection does. Times are nanoseconds of the clock; 0 stands for "not".
pub(crate) struct Activity {
    clock: Arc<dyn Clock>,
    /// When bytes passed last.
    moved: AtomicU64,
    /// Since when a head is being read.
    head_since: AtomicU64,
    /// Since when the peer takes nothing more.
    blocked_since: AtomicU64,
    /// Requests that are not answered to the end.
    open: AtomicU32,
}

impl Activity {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let moved = AtomicU64::new(clock.monotonic_ns());
        Self { clock, moved, head_since: AtomicU64::new(0), blocked_since: AtomicU64::new(0), open: AtomicU32::new(0) }
    }
    fn now(&self) -> u64 {
        self.clock.monotonic_ns().max(1)
    }
    fn read(&self) {
        let now = self.now();
        self.moved.store(now, Ordering::Relaxed);
        if self.open.load(Ordering::Relaxed) == 0 {
            let _ = self.head_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
    fn wrote(&self, blocked: bool) {
        if blocked {
            let _ = self.blocked_since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        } else {
            self.blocked_since.store(0, Ordering::Relaxed);
            self.moved.store(self.now(), Ordering::Relaxed);
        }
    }
    /// A request's head is read; it stays open until what is given is dropped.
    pub(crate) fn open(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        Open(Arc::clone(self))
    }
    /// Whether the peer is too slow, or has been silent for too long.
    pub(crate) fn is_over(&self, limits: &S3Limits) -> bool {
        let now = self.now();
        let past = |since: u64, span| since != 0 && now.saturating_sub(since) > Elapsed::from(span).ns();
        if past(self.blocked_since.load(Ordering::Relaxed), limits.connection_idle_time) {
            return true;
        }
        // While a request is open, its body has a time of its own and the store may take as long as it takes.
        self.open.load(Ordering::Relaxed) == 0
            && (past(self.head_since.load(Ordering::Relaxed), limits.head_time)
                || past(self.moved.load(Ordering::Relaxed), limits.connection_idle_time))
    }
}

/// A request that is not answered to the end.
pub(crate) struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.moved.store(self.0.now(), Ordering::Relaxed);
    }
}

/// A socket that notes what passes.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) activity: Arc<Activity>,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.activity.wrote(polled.is_pending());
        polled
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.activity.wrote(polled.is_pending());
        polled
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
