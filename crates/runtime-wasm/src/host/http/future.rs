//! `outgoing-handler` and `future-incoming-response`: requests to the outside.
//!
//! A request is sent off at once, and driven along whenever the guest waits for anything. It runs in the guest's own task: dropping the
//! guest, or the future in its hands, ends it.

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ports::{Body, BoxFuture, outbound::OutboundRequest, tape::Question};
use types::{
    journal::{Answer, Failure},
    limits,
};
use wasmtime::component::Resource;

use super::{
    error::code_of,
    incoming::IncomingResponse,
    outgoing::{OutgoingRequest, RequestOptions},
};
use crate::{
    host::{
        Host,
        bindings::wasi::http::{
            outgoing_handler,
            types::{self as wit, ErrorCode},
        },
        io::poll::Pollable,
    },
    stop::Stop,
};

type Sent = Result<http::Response<Body>, Failure>;

/// A response that will come.
pub enum FutureIncomingResponse {
    /// It is on its way.
    Waiting(BoxFuture<Sent>),
    /// It is here, or failed.
    Arrived(Box<Sent>),
    /// The guest has taken it.
    Taken,
}

impl FutureIncomingResponse {
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Waiting(sending) = self {
            let Poll::Ready(sent) = sending.as_mut().poll(cx) else { return Poll::Pending };
            *self = Self::Arrived(Box::new(sent));
        }
        Poll::Ready(())
    }
}

impl Host {
    /// Lets every outbound request make what progress it can.
    pub(crate) fn drive_outbound(&mut self, cx: &mut Context<'_>) {
        let table = &mut self.table;
        self.outbound.retain(|index| match table.at_mut::<FutureIncomingResponse>(*index) {
            Ok(future) => future.drive(cx).is_pending(),
            Err(_) => false,
        });
    }
}

impl outgoing_handler::Host for Host {
    async fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureIncomingResponse>, ErrorCode>> {
        let options = match options {
            Some(options) => self.table.delete(options)?,
            None => RequestOptions::default(),
        };
        let request = match self.table.delete(request)?.into_request() {
            Ok(request) => request,
            Err(code) => return Ok(Err(code)),
        };
        let bounded = |asked: Option<u64>, most: Duration| asked.map_or(most, |ns| Duration::from_nanos(ns).min(most));
        let request = OutboundRequest {
            request,
            // The scope finds out and sets it.
            private_named: false,
            connect_time: bounded(options.connect_ns, limits::OUTBOUND_CONNECT_TIME),
            first_byte_time: bounded(options.first_byte_ns, limits::OUTBOUND_IDLE_TIME),
            between_bytes_time: bounded(options.between_bytes_ns, limits::OUTBOUND_IDLE_TIME),
        };
        let outbound = self.scope.outbound();
        let sending = Box::pin(async move { outbound.send(request).await });
        let future = self.table.push(FutureIncomingResponse::Waiting(sending))?;
        self.outbound.push(future.rep());
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(())
        })
        .await;
        Ok(Ok(future))
    }
}

/// What `future-incoming-response.get` gives: nothing yet, or once the response, and an error for asking again.
type Got = Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>;

impl wit::HostFutureIncomingResponse for Host {
    fn subscribe(&mut self, future: Resource<FutureIncomingResponse>) -> wasmtime::Result<Resource<Pollable>> {
        let index = future.rep();
        Ok(self.table.push_child(Pollable::Response(index), index)?)
    }
    fn get(&mut self, future: Resource<FutureIncomingResponse>) -> wasmtime::Result<Got> {
        if matches!(self.table.get(&future)?, FutureIncomingResponse::Taken) {
            return Ok(Some(Err(())));
        }
        let recorded = self.scope.tape().recall(Question::Arrived).map_err(Stop::from)?;
        self.drive_outbound(&mut Context::from_waker(Waker::noop()));
        let waiting = self.table.get(&future)?.is_waiting();
        match recorded {
            Some(Answer::Arrived(false)) => return Ok(None),
            // A replay has every response at hand.
            Some(_) if waiting => return Err(Stop::Diverged.into()),
            Some(_) => {}
            None => self.keep(|| Answer::Arrived(!waiting)),
        }
        if waiting {
            return Ok(None);
        }
        let taken = std::mem::replace(self.table.get_mut(&future)?, FutureIncomingResponse::Taken);
        let FutureIncomingResponse::Arrived(sent) = taken else { return Ok(Some(Err(()))) };
        Ok(Some(Ok(match *sent {
            Ok(response) => Ok(self.table.push(IncomingResponse::new(response))?),
            Err(failure) => Err(code_of(&failure)),
        })))
    }
    fn drop(&mut self, future: Resource<FutureIncomingResponse>) -> wasmtime::Result<()> {
        self.outbound.retain(|index| *index != future.rep());
        self.table.delete(future)?;
        Ok(())
    }
}
