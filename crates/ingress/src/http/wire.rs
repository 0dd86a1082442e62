//! The I/O of one connection, as hyper sees it.
//!
//! Bytes are read into a buffer that all connections of a thread share, scanned there and copied to hyper: only whole heads that the
//! scanner let pass. Between requests a connection holds no memory for this. A refused head is replaced by a request of our own that no
//! client can send, [`REFUSE`]; hyper answers it in its turn, after the answers to what came before, with what the service makes of
//! [`Conn::refusal`], and closes.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use http::{HeaderValue, uri::Authority};
use hyper::rt::ReadBufCursor;
use parking_lot::Mutex;
use ports::Clock;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use types::Problem;

use super::framing::{Scanner, Step};

/// The method of the request that stands for a refused one. Clients can't send it: its target is `*`, which the scanner lets pass
/// with `OPTIONS` alone.
pub(crate) const REFUSE: &str = "REFUSE";
const REFUSE_HEAD: &[u8] = b"REFUSE * HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much is read at once at most.
const SCRATCH: usize = 64 << 10;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// What the I/O, the watch and the requests of one connection know in common.
#[derive(Debug)]
pub(crate) struct Conn {
    /// The peer's address, as `x-forwarded-for` gives it.
    pub(crate) peer: HeaderValue,
    /// Our end of the connection: the host of HTTP/1.0 requests that name none.
    pub(crate) local: Authority,
    /// The host that the last request named, as it came and as it was read.
    pub(crate) host: Mutex<Option<(HeaderValue, Authority)>>,
    /// When the last request came.
    pub(crate) seen: AtomicU64,
    /// Requests whose response is not finished.
    pub(crate) open: AtomicU32,
    /// Requests so far.
    pub(crate) served: AtomicU64,
    /// When the present, unfinished head began; 0 if there is none.
    pub(crate) head_since: AtomicU64,
    /// Since when the peer takes no bytes; 0 if it does.
    pub(crate) blocked_since: AtomicU64,
    /// Set by the watch: the head took too long.
    pub(crate) head_expired: AtomicBool,
    /// Whether a body broke its framing: the answer to it is a refusal whatever the function says.
    pub(crate) broken: AtomicBool,
    /// Why a head was refused.
    pub(crate) refusal: Mutex<Option<Problem>>,
}

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

pub(crate) struct Wire {
    stream: TcpStream,
    conn: Arc<Conn>,
    clock: Arc<dyn Clock>,
    /// None: everything passes.
    scanner: Option<Scanner>,
    /// What hyper has not taken. Its first `ready` bytes passed the scanner.
    held: Vec<u8>,
    ready: usize,
    /// Whether `held` has bytes that the scanner was not shown since they came.
    unseen: bool,
    /// Whether a head was refused: nothing more is read.
    refused: bool,
    /// Whether the body broke its framing after what is ready: the next read fails.
    broken: bool,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, conn: Arc<Conn>, clock: Arc<dyn Clock>) -> Self {
        Self { stream, conn, clock, scanner: None, held: Vec::new(), ready: 0, unseen: false, refused: false, broken: false }
    }

    /// Reads until the protocol is known. The bytes are kept for whoever reads next.
    ///
    /// # Errors
    /// What reading fails with; `UnexpectedEof` if the peer closes before.
    pub(crate) fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Protocol>> {
        loop {
            let seen = self.held.len().min(PREFACE.len());
            if seen > 0 && self.held[..seen] != PREFACE[..seen] {
                return Poll::Ready(Ok(Protocol::Http1));
            }
            if seen == PREFACE.len() {
                return Poll::Ready(Ok(Protocol::Http2));
            }
            let (stream, held) = (&mut self.stream, &mut self.held);
            let read = ready!(with_scratch(stream, cx, SCRATCH, |bytes| {
                held.extend_from_slice(bytes);
                bytes.len()
            }))?;
            if read == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Says who judges the bytes from now on, those that were kept included.
    pub(crate) fn judge_by(&mut self, scanner: Option<Scanner>) {
        self.scanner = scanner;
        self.unseen = !self.held.is_empty();
    }

    /// The socket, when hyper is done with it.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn refuse(&mut self, problem: Problem) {
        *self.conn.refusal.lock() = Some(problem);
        self.conn.head_since.store(0, Ordering::Relaxed);
        self.held.truncate(self.ready);
        self.held.extend_from_slice(REFUSE_HEAD);
        self.ready = self.held.len();
        self.refused = true;
    }

    /// Shows the scanner what was not shown yet, until it wants more.
    fn scan_held(&mut self) {
        self.unseen = false;
        let Some(scanner) = &mut self.scanner else {
            self.ready = self.held.len();
            return;
        };
        while self.ready < self.held.len() {
            match scanner.look(&self.held[self.ready..]) {
                Step::Pass(length) => self.ready += length,
                Step::Skip(length) => drop(self.held.drain(self.ready..self.ready + length)),
                Step::More => break,
                Step::Refuse(problem) => {
                    self.refuse(*problem);
                    return;
                }
                Step::Broken => {
                    self.held.truncate(self.ready);
                    self.broken = true;
                }
            }
        }
        self.note_head();
    }

    /// Keeps the time at which a head began that is not whole yet.
    fn note_head(&self) {
        let partial = self.held.len() > self.ready;
        let since = self.conn.head_since.load(Ordering::Relaxed);
        if partial && since == 0 {
            self.conn.head_since.store(self.clock.monotonic_ns().max(1), Ordering::Relaxed);
        } else if !partial && since != 0 {
            self.conn.head_since.store(0, Ordering::Relaxed);
        }
    }

    /// Gives hyper what is ready; whether that was anything.
    fn give(&mut self, into: &mut ReadBufCursor<'_>) -> bool {
        let given = self.ready.min(into.remaining());
        if given == 0 {
            return false;
        }
        into.put_slice(&self.held[..given]);
        self.ready -= given;
        if given == self.held.len() {
            // Most connections never need this again: the memory goes back.
            self.held = Vec::new();
        } else {
            self.held.drain(..given);
        }
        true
    }

    /// Reads once from the socket. Bytes that pass at once go straight to hyper, the others are held.
    fn poll_fill(&mut self, cx: &mut Context<'_>, into: &mut ReadBufCursor<'_>) -> Poll<io::Result<Filled>> {
        let Self { stream, scanner, held, broken, .. } = self;
        let (direct, room) = (held.is_empty(), into.remaining());
        let at_most = if scanner.is_some() { SCRATCH } else { room };
        let filled = ready!(with_scratch(stream, cx, at_most, |bytes| {
            if bytes.is_empty() {
                return Filled::End;
            }
            let passed = if direct { pass(scanner.as_mut(), bytes, into) } else { Passed { bytes: 0, broken: false } };
            *broken = passed.broken;
            if !passed.broken {
                held.extend_from_slice(&bytes[passed.bytes..]);
            }
            if into.remaining() < room { Filled::Passed } else { Filled::Held }
        }))?;
        if !self.held.is_empty() && !matches!(filled, Filled::End) {
            self.scan_held();
        }
        Poll::Ready(Ok(filled))
    }
}

enum Filled {
    /// The peer has closed.
    End,
    /// hyper has some of it.
    Passed,
    /// hyper has none of it.
    Held,
}

/// How many bytes are dealt with, and whether what follows them breaks a body's framing.
struct Passed {
    bytes: usize,
    broken: bool,
}

/// Puts as much into hyper's buffer as passes at once and fits.
fn pass(scanner: Option<&mut Scanner>, bytes: &[u8], into: &mut ReadBufCursor<'_>) -> Passed {
    let Some(scanner) = scanner else {
        into.put_slice(bytes);
        return Passed { bytes: bytes.len(), broken: false };
    };
    if bytes.len() > into.remaining() {
        return Passed { bytes: 0, broken: false };
    }
    let mut at = 0;
    while at < bytes.len() {
        match scanner.look(&bytes[at..]) {
            Step::Pass(length) => {
                into.put_slice(&bytes[at..at + length]);
                at += length;
            }
            Step::Skip(length) => at += length,
            Step::Broken => return Passed { bytes: at, broken: true },
            // The scanner says so again when it is shown these bytes where there is room to act on it.
            Step::More | Step::Refuse(_) => break,
        }
    }
    Passed { bytes: at, broken: false }
}

fn with_scratch<T>(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    at_most: usize,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    BUFFER.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(&mut scratch[..at_most.min(SCRATCH)]);
        ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(take(buffer.filled())))
    })
}

impl hyper::rt::Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.unseen {
            self.scan_held();
        }
        if self.conn.head_expired.load(Ordering::Relaxed) && !self.refused {
            self.refuse(Problem::new(types::Code::E0407, "the request's head did not come in time"));
        }
        loop {
            if self.give(&mut into) {
                return Poll::Ready(Ok(()));
            }
            if self.broken {
                self.conn.broken.store(true, Ordering::Relaxed);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the body breaks its framing")));
            }
            if self.refused {
                // hyper has the refusal and closes after its answer. Whatever else the peer sends is not read here.
                return Poll::Pending;
            }
            match ready!(self.poll_fill(cx, &mut into))? {
                Filled::End | Filled::Passed => return Poll::Ready(Ok(())),
                Filled::Held => {}
            }
        }
    }
}

impl Wire {
    fn note_written(&self, written: &Poll<io::Result<usize>>) {
        let since = self.conn.blocked_since.load(Ordering::Relaxed);
        match written {
            Poll::Pending if since == 0 => self.conn.blocked_since.store(self.clock.monotonic_ns().max(1), Ordering::Relaxed),
            Poll::Ready(_) if since != 0 => self.conn.blocked_since.store(0, Ordering::Relaxed),
            _ => {}
        }
    }
}

impl hyper::rt::Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_written(&written);
        written
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note_written(&written);
        written
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush.
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
