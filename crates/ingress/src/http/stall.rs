//! Breaks HTTP/2 streams whose peer keeps their flow control window shut: their responses would stay in memory forever, and the
//! connection, on which pings go back and forth, never looks silent.
//!
//! While a stream waits for its window, hyper does not poll the response's body, so the body can't have the timer. The stream's task
//! has it: each poll of it leaves a note of what the body was asked for, and a poll that ends without the function having been asked
//! means that the peer is waited for. Only then is there a timer. A response that is sent at once costs two writes to a cell.

use std::{
    cell::Cell,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::rt::Executor;
use ports::{BoxFuture, Clock};

/// What last became of the response's body in one poll of its stream's task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// It was not touched.
    Untouched,
    /// It was made, or gave a piece: the peer took all before it.
    Moved,
    /// It waits for the function.
    Waits,
}

thread_local! {
    /// The note of the stream's task that this thread polls.
    static NOTE: Cell<Note> = const { Cell::new(Note::Untouched) };
}

/// Leaves a note for the task that is being polled.
pub(crate) fn note(note: Note) {
    NOTE.set(note);
}

/// Runs the streams of HTTP/2 connections, each on a task with a bound on how long its peer may keep it waiting.
#[derive(Clone)]
pub(crate) struct Streams {
    clock: Arc<dyn Clock>,
    /// How long a piece may wait for the peer's window, in nanoseconds.
    limit_ns: u64,
}

impl Streams {
    pub(crate) fn new(clock: Arc<dyn Clock>, limit_ns: u64) -> Self {
        Self { clock, limit_ns }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        tokio::spawn(bounded(stream, self.clone()));
    }
}

/// Ends with the stream, or drops it, which resets it, once its peer has kept it waiting for too long.
async fn bounded<F: Future>(stream: F, streams: Streams) {
    let (mut stream, mut stall) = (pin!(stream), Stall { streams, begun: false, timer: None });
    std::future::poll_fn(|cx| {
        note(Note::Untouched);
        if stream.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { stall.poll_expired(NOTE.get(), cx) }
    })
    .await;
}

/// How long one stream has waited for its peer.
struct Stall {
    streams: Streams,
    /// Whether there is a response.
    begun: bool,
    timer: Option<BoxFuture<()>>,
}

impl Stall {
    fn poll_expired(&mut self, note: Note, cx: &mut Context<'_>) -> Poll<()> {
        self.begun |= note != Note::Untouched;
        if note != Note::Untouched {
            self.timer = None;
        }
        if !self.begun || note == Note::Waits {
            return Poll::Pending;
        }
        let Streams { clock, limit_ns } = &self.streams;
        let timer = self.timer.get_or_insert_with(|| clock.sleep_until(clock.monotonic_ns().saturating_add(*limit_ns)));
        timer.as_mut().poll(cx)
    }
}
