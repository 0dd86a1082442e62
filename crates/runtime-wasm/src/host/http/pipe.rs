//! The pipe between a guest that writes a body and whoever reads it.
//!
//! The guest's side asks for room and puts chunks in; the other side is an `http_body::Body`. Nothing is copied: chunks move. Once the
//! writer has finished, the reader knows the exact length of what is left, so that a small response is sent whole with its length.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use ports::BodyError;

/// How many bytes wait in a pipe before the writer has to.
pub(crate) const CAPACITY: usize = 64 << 10;
/// What each chunk counts beside its bytes, so that many tiny ones don't take more memory than the capacity allows.
const CHUNK_COST: usize = 32;

/// The pipe itself, shared by its two ends.
pub(crate) struct Pipe {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Bytes>,
    /// Bytes of all chunks.
    bytes: usize,
    end: End,
    reader_gone: bool,
    /// Whether nobody minds that the reader goes early: the response has no body to send.
    discards: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

#[derive(Default)]
enum End {
    /// More may come.
    #[default]
    Open,
    /// All was written; the trailers have not been read yet.
    Trailers(HeaderMap),
    /// All was written.
    Finished,
    /// The writer broke off; the reader has not been told yet.
    Broken(BodyError),
}

/// The reading end.
pub(crate) struct PipeBody(Arc<Pipe>);

impl Pipe {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default() })
    }

    /// The reading end. Taken once; dropping it before the end tells the writer that nobody listens any more.
    pub(crate) fn body(self: &Arc<Self>) -> PipeBody {
        PipeBody(self.clone())
    }

    /// Lets the reader go before the end without the writer noticing: what is written then is thrown away.
    pub(crate) fn discard_if_unread(&self) {
        self.state.lock().discards = true;
    }

    /// Ready with how many bytes may be written, at least one; with `None` if the reader has gone.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let mut state = self.state.lock();
        match state.room() {
            Some(0) => {
                register(&mut state.writer, cx);
                Poll::Pending
            }
            room => Poll::Ready(room),
        }
    }

    /// Whether a writer would have to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.state.lock().room() == Some(0)
    }

    /// Puts a chunk in, however full the pipe is: the writer has asked before. Thrown away if the reader has gone.
    pub(crate) fn push(&self, chunk: Bytes) {
        let mut state = self.state.lock();
        if state.reader_gone || chunk.is_empty() {
            return;
        }
        state.bytes += chunk.len();
        state.chunks.push_back(chunk);
        state.wake_reader();
    }

    /// Ends the body as it should end.
    pub(crate) fn finish(&self, trailers: Option<HeaderMap>) {
        self.end(trailers.map_or(End::Finished, End::Trailers));
    }
    /// Ends the body as broken. Nothing happens if it has ended already.
    pub(crate) fn break_off(&self, error: BodyError) {
        self.end(End::Broken(error));
    }
    fn end(&self, end: End) {
        let mut state = self.state.lock();
        if matches!(state.end, End::Open) {
            state.end = end;
            state.wake_reader();
        }
    }

    /// Whether the reader has gone before the end although the body was wanted.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state.lock().is_abandoned()
    }
    /// Ready when it has; else the task is woken when it does.
    pub(crate) fn poll_abandoned(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.is_abandoned() {
            return Poll::Ready(());
        }
        register(&mut state.writer, cx);
        Poll::Pending
    }
}

impl State {
    fn room(&self) -> Option<usize> {
        match (self.reader_gone, self.discards) {
            (true, false) => None,
            (true, true) => Some(CAPACITY),
            _ => Some(CAPACITY.saturating_sub(self.bytes + self.chunks.len().saturating_sub(1) * CHUNK_COST)),
        }
    }
    fn is_abandoned(&self) -> bool {
        self.reader_gone && !self.discards
    }
    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn register(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) if waker.will_wake(cx.waker()) => {}
        _ => *waker = Some(cx.waker().clone()),
    }
}

impl http_body::Body for PipeBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut state = self.0.state.lock();
        if let Some(chunk) = state.chunks.pop_front() {
            state.bytes -= chunk.len();
            let writer = state.writer.take();
            drop(state);
            if let Some(writer) = writer {
                writer.wake();
            }
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match std::mem::replace(&mut state.end, End::Finished) {
            End::Open => {
                state.end = End::Open;
                register(&mut state.reader, cx);
                Poll::Pending
            }
            End::Trailers(trailers) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            End::Finished => Poll::Ready(None),
            End::Broken(error) => Poll::Ready(Some(Err(error))),
        }
    }
    fn is_end_stream(&self) -> bool {
        let state = self.0.state.lock();
        state.chunks.is_empty() && matches!(state.end, End::Finished)
    }
    fn size_hint(&self) -> SizeHint {
        let state = self.0.state.lock();
        match state.end {
            End::Finished => SizeHint::with_exact(state.bytes as u64),
            // HTTP/1.1 sends trailers behind chunks only: a known length would drop them.
            End::Open | End::Trailers(_) | End::Broken(_) => {
                let mut hint = SizeHint::new();
                hint.set_lower(state.bytes as u64);
                hint
            }
        }
    }
}

impl Drop for PipeBody {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        // A reader that goes after the writer has finished is done with its work, and no one waits.
        if !matches!(state.end, End::Open) {
            return;
        }
        state.reader_gone = true;
        state.chunks.clear();
        state.bytes = 0;
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use http_body::Body as _;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn writable(pipe: &Pipe, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        pipe.poll_writable(cx)
    }
    fn frame(body: &mut PipeBody, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(body).poll_frame(cx)
    }

    #[test]
    fn a_full_pipe_takes_nothing_until_it_is_read() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let cx = &mut Context::from_waker(&waker);
        let pipe = Pipe::new();
        let mut body = pipe.body();
        assert_eq!(writable(&pipe, cx), Poll::Ready(Some(CAPACITY)));
        pipe.push(Bytes::from(vec![1; CAPACITY]));
        assert_eq!(writable(&pipe, cx), Poll::Pending);
        assert!(matches!(frame(&mut body, cx), Poll::Ready(Some(Ok(_)))));
        assert_eq!((woken.0.load(Ordering::Relaxed), writable(&pipe, cx)), (1, Poll::Ready(Some(CAPACITY))));
    }

    #[test]
    fn many_tiny_chunks_fill_it_too() {
        let pipe = Pipe::new();
        let mut chunks = 0;
        while writable(&pipe, &mut Context::from_waker(Waker::noop())).is_ready() {
            pipe.push(Bytes::from_static(b"a"));
            chunks += 1;
        }
        assert!(chunks <= CAPACITY / CHUNK_COST, "{chunks}");
    }

    #[test]
    fn a_finished_body_has_its_length_unless_trailers_follow() {
        let cx = &mut Context::from_waker(Waker::noop());
        let pipe = Pipe::new();
        let mut body = pipe.body();
        assert_eq!(body.size_hint().exact(), None);
        pipe.push(Bytes::from_static(b"abc"));
        pipe.finish(Some(HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("1"))])));
        assert_eq!((body.size_hint().exact(), body.size_hint().lower(), body.is_end_stream()), (None, 3, false));
        assert!(matches!(frame(&mut body, cx), Poll::Ready(Some(Ok(frame))) if frame.is_data()));
        assert!(matches!(frame(&mut body, cx), Poll::Ready(Some(Ok(frame))) if frame.is_trailers()));
        assert!(body.is_end_stream() && matches!(frame(&mut body, cx), Poll::Ready(None)));
        drop(body);
        assert!(!pipe.is_abandoned());

        let pipe = Pipe::new();
        let body = pipe.body();
        pipe.push(Bytes::from_static(b"abc"));
        pipe.finish(None);
        assert_eq!(body.size_hint().exact(), Some(3));
    }

    #[test]
    fn a_body_that_breaks_off_ends_in_an_error_after_what_came_before() {
        let cx = &mut Context::from_waker(Waker::noop());
        let pipe = Pipe::new();
        let mut body = pipe.body();
        pipe.push(Bytes::from_static(b"abc"));
        pipe.break_off(BodyError::Idle);
        pipe.finish(None);
        assert!(matches!(frame(&mut body, cx), Poll::Ready(Some(Ok(_)))) && !body.is_end_stream());
        assert!(matches!(frame(&mut body, cx), Poll::Ready(Some(Err(BodyError::Idle)))));
        assert!(matches!(frame(&mut body, cx), Poll::Ready(None)));
    }

    #[test]
    fn a_reader_that_goes_early_is_noticed_unless_no_body_was_wanted() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let cx = &mut Context::from_waker(&waker);
        for (discards, gone) in [(false, true), (true, false)] {
            let pipe = Pipe::new();
            if discards {
                pipe.discard_if_unread();
            }
            assert!(pipe.poll_abandoned(cx).is_pending());
            drop(pipe.body());
            assert_eq!((pipe.is_abandoned(), writable(&pipe, cx)), (gone, Poll::Ready((!gone).then_some(CAPACITY))));
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    }
}
