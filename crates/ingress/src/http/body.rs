//! A request's body on its way to the function: counted against the limit, and given up when the client stalls.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use ports::{BodyError, BoxFuture, Clock};

/// The body as hyper reads it, within bounds. The timer exists only while the function waits for bytes that don't come.
pub(crate) struct Received {
    incoming: Incoming,
    allowed: u64,
    left: u64,
    idle_ns: u64,
    clock: Arc<dyn Clock>,
    timer: Option<BoxFuture<()>>,
    ended: bool,
}

impl Received {
    pub(crate) fn new(incoming: Incoming, allowed: u64, idle_ns: u64, clock: Arc<dyn Clock>) -> Self {
        Self { incoming, allowed, left: allowed, idle_ns, clock, timer: None, ended: false }
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
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Pending => {
                ready!(self.poll_idle(cx));
                return self.fail(BodyError::Idle);
            }
            Poll::Ready(frame) => frame,
        };
        self.timer = None;
        match frame {
            None => Poll::Ready(None),
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
        self.ended || self.incoming.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
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
