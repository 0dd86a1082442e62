//! A response's body on its way to the function: given up when the other side stalls, its connection kept when it ends well.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use ports::{BodyError, BoxFuture, Clock};

use crate::{
    failure::describe,
    pool::{Key, Pool, Sender},
};

/// The connection that a body comes from, and where it goes afterwards.
pub(crate) struct Origin {
    pub(crate) sender: Sender,
    /// None if nobody may use it again.
    pub(crate) key: Option<Key>,
    pub(crate) pool: Arc<Pool>,
}

impl Origin {
    /// Keeps the connection for another call.
    pub(crate) fn keep(self, now_ns: u64) {
        if let Some(key) = self.key {
            self.pool.put(key, self.sender, now_ns);
        }
    }
}

/// The body as hyper reads it, within bounds. The timer exists only while the function waits for bytes that don't come.
pub(crate) struct Answered {
    incoming: Incoming,
    origin: Option<Origin>,
    idle_ns: u64,
    clock: Arc<dyn Clock>,
    timer: Option<BoxFuture<()>>,
    ended: bool,
}

impl Answered {
    pub(crate) fn new(incoming: Incoming, origin: Origin, idle_ns: u64, clock: Arc<dyn Clock>) -> Self {
        Self { incoming, origin: Some(origin), idle_ns, clock, timer: None, ended: false }
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.ended = true;
        self.origin = None;
        Poll::Ready(Some(Err(error)))
    }

    fn keep_connection(&mut self) {
        if let Some(origin) = self.origin.take() {
            origin.keep(self.clock.monotonic_ns());
        }
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { timer, clock, idle_ns, .. } = self;
        let timer = timer.get_or_insert_with(|| clock.sleep_until(clock.monotonic_ns().saturating_add(*idle_ns)));
        timer.as_mut().poll(cx)
    }
}

impl http_body::Body for Answered {
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
            Some(Err(error)) if error.is_incomplete_message() => self.fail(BodyError::Gone),
            Some(Err(error)) => self.fail(BodyError::Broken(describe(&error))),
            Some(Ok(frame)) => {
                if http_body::Body::is_end_stream(&self.incoming) {
                    self.keep_connection();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.keep_connection();
                Poll::Ready(None)
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
