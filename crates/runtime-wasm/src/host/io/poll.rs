//! `wasi:io/poll`: waiting for one of several things.
//!
//! What is found ready, and in which order, is the host's decision: it is recorded, and a replay gives the recorded answer without
//! looking. `block` tells the guest nothing, so nothing is recorded for it.

use std::task::{Context, Poll, Waker};

use ports::{BoxFuture, tape::Question};
use types::{journal::Answer, limits};
use wasmtime::component::Resource;

use super::streams::{InputStream, OutputStream};
use crate::{
    host::{
        Host,
        bindings::wasi::io::poll,
        http::{future::FutureIncomingResponse, incoming::FutureTrailers},
    },
    stop::Stop,
};

/// Something that becomes ready. Those that belong to another resource are its children and name it by index.
pub enum Pollable {
    /// Ready from the start.
    Ready,
    /// Ready once the time has come.
    Timer(BoxFuture<()>),
    /// Ready when an `input-stream` has bytes or has ended.
    Input(u32),
    /// Ready when an `output-stream` takes bytes or has ended.
    Output(u32),
    /// Ready when a `future-incoming-response` has arrived.
    Response(u32),
    /// Ready when `future-trailers` has them.
    Trailers(u32),
}

impl Host {
    /// Whether the pollable is ready. If not, the task is woken when it may be.
    fn poll_ready(&mut self, pollable: u32, cx: &mut Context<'_>) -> Result<bool, Stop> {
        let pollable = self.table.at_mut::<Pollable>(pollable)?;
        let ready = match *pollable {
            Pollable::Ready => true,
            Pollable::Timer(ref mut sleep) => {
                let ready = sleep.as_mut().poll(cx).is_ready();
                if ready {
                    *pollable = Pollable::Ready;
                }
                ready
            }
            Pollable::Input(stream) => match *self.table.at::<InputStream>(stream)? {
                InputStream::Closed => true,
                InputStream::Body(body) | InputStream::Value(body) => self.poll_body(body, cx)?.is_ready(),
            },
            Pollable::Output(stream) => match *self.table.at::<OutputStream>(stream)? {
                OutputStream::Stdout | OutputStream::Stderr => true,
                OutputStream::Body(body) => self.poll_writable(body, cx)?.is_ready(),
            },
            Pollable::Response(future) => !self.table.at::<FutureIncomingResponse>(future)?.is_waiting(),
            Pollable::Trailers(future) => self.table.at_mut::<FutureTrailers>(future)?.poll_trailers(cx).is_ready(),
        };
        Ok(ready)
    }

    /// Keeps an answer, made only where answers are kept.
    pub(crate) fn keep(&self, answer: impl FnOnce() -> Answer) {
        let tape = self.scope.tape();
        if tape.keeps() {
            tape.keep(answer());
        }
    }
}

impl poll::Host for Host {
    async fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.is_empty() || pollables.len() > limits::HANDLES {
            let (count, allowed) = (pollables.len(), limits::HANDLES);
            return Err(Stop::Misuse(format!("polled pollables {count}, allowed 1 to {allowed}")).into());
        }
        let count = u32::try_from(pollables.len()).unwrap_or(u32::MAX);
        if let Some(Answer::Ready(ready)) = self.scope.tape().recall(Question::Poll { count }).map_err(Stop::from)? {
            return Ok(ready);
        }
        let ready = self
            .wait(|host, cx| {
                let mut ready = Vec::new();
                for (index, pollable) in (0..count).zip(&pollables) {
                    if host.poll_ready(pollable.rep(), cx)? {
                        ready.push(index);
                    }
                }
                Ok(if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) })
            })
            .await?;
        self.keep(|| Answer::Ready(ready.clone()));
        Ok(ready)
    }
}

impl poll::HostPollable for Host {
    fn ready(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        if let Some(Answer::IsReady(ready)) = self.scope.tape().recall(Question::IsReady).map_err(Stop::from)? {
            return Ok(ready);
        }
        // Nobody is woken: the next call that waits looks again, at everything.
        let cx = &mut Context::from_waker(Waker::noop());
        self.drive(cx);
        let ready = self.poll_ready(pollable.rep(), cx)?;
        self.keep(|| Answer::IsReady(ready));
        Ok(ready)
    }
    async fn block(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.wait(|host, cx| Ok(if host.poll_ready(pollable.rep(), cx)? { Poll::Ready(()) } else { Poll::Pending })).await
    }
    fn drop(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.table.delete(pollable)?;
        Ok(())
    }
}
