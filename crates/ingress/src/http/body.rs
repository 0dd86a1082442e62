//! A request's body on its way to the function: counted against the limit, and given up when the client stalls.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::future::select;
use http::Version;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use ports::{BodyError, BoxFuture, Clock};
use tokio::runtime::Handle;

use super::{
    connection::{LINGER, LINGER_BYTES},
    watch::after,
};

/// The body as hyper reads it, within bounds. The timer exists only while the function waits for bytes that don't come.
pub(crate) struct Received {
    /// Taken when this is dropped.
    incoming: Option<Incoming>,
    version: Version,
    allowed: u64,
    left: u64,
    idle_ns: u64,
    clock: Arc<dyn Clock>,
    timer: Option<BoxFuture<()>>,
    ended: bool,
}

impl Received {
    pub(crate) fn new(incoming: Incoming, version: Version, allowed: u64, idle_ns: u64, clock: Arc<dyn Clock>) -> Self {
        Self { incoming: Some(incoming), version, allowed, left: allowed, idle_ns, clock, timer: None, ended: false }
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { timer, clock, idle_ns, .. } = self;
        let timer = timer.get_or_insert_with(|| clock.sleep_until(clock.monotonic_ns().saturating_add(*idle_ns)));
        timer.as_mut().poll(cx)
    }
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let is_ended = self.ended;
        let Some(incoming) = self.incoming.as_mut().filter(|_| !is_ended) else { return Poll::Ready(None) };
        let frame = match Pin::new(incoming).poll_frame(cx) {
            Poll::Pending => {
                ready!(self.poll_idle(cx));
                return self.fail(BodyError::Idle);
            }
            Poll::Ready(frame) => frame,
        };
        self.timer = None;
        match frame {
            None => {
                self.ended = true;
                Poll::Ready(None)
            }
            Some(Err(error)) => self.fail(read_error(&error)),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = self.left.checked_sub(length) else {
                    let allowed = self.allowed;
                    return self.fail(BodyError::TooLarge { allowed });
                };
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        self.ended || self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }
    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Incoming::size_hint).unwrap_or_default()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take().filter(|_| !self.ended) {
            leave(incoming, self.version, &*self.clock);
        }
    }
}

/// Gives up a body that nobody reads, or not to its end.
///
/// HTTP/2 resets a stream whose answer is complete while its other half is open (RFC 9113, 8.1), and clients that are still sending take that for
/// a failure of the answer. So what comes within a moment is read out first. HTTP/1 connections are read out by hyper and at their end.
pub(crate) fn leave(mut incoming: Incoming, version: Version, clock: &dyn Clock) {
    if version < Version::HTTP_2 || incoming.is_end_stream() {
        return;
    }
    let Ok(runtime) = Handle::try_current() else { return };
    let late = clock.sleep_until(after(clock.monotonic_ns(), LINGER));
    runtime.spawn(async move {
        let read_out = async {
            let mut read = 0;
            while let Some(Ok(frame)) = incoming.frame().await {
                read += frame.data_ref().map_or(0, Bytes::len);
                if read > LINGER_BYTES {
                    break;
                }
            }
        };
        select(std::pin::pin!(read_out), late).await;
    });
}

fn read_error(error: &hyper::Error) -> BodyError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return BodyError::Broken("the body breaks its framing".into());
        }
        cause = inner.source();
    }
    // Whatever else ends a body early is the peer or its connection.
    BodyError::Gone
}
