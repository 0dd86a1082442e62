//! What guests import, served over one invocation's `ports::Scope`: one file for each interface.
//!
//! A guest runs on its caller's task, and so does everything here: no task, channel or timer is made for a guest that does not wait.
//! Whatever may wait goes through [`Host::wait`], which drives the guest's outbound requests along and notices that the client has
//! gone. Every answer that the guest could not foresee goes over the scope's tape: asked there first (a replay), kept there after.

#![allow(
    unreachable_pub,
    reason = "the generated bindings re-export the types of resources, so these have to be public in their modules"
)]

pub(crate) mod bindings;
mod blobstore;
mod cli;
mod clocks;
mod closed;
mod config;
mod events;
pub(crate) mod http;
mod io;
mod keyvalue;
mod lines;
mod logging;
mod queue;
mod random;
mod report;
mod spin;
mod sql;
mod store;
mod stream;
mod table;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use ports::{Body, Scope};
use types::{Code, Limits, journal::Failure};
use wasmtime::component::{HasSelf, Linker, Resource};

pub(crate) use self::http::{incoming::IncomingRequest, outgoing::ResponseOutparam};
use self::{http::pipe::Pipe, lines::Lines, table::Table};
use crate::{limits::Limiter, script::Texts, stop::Stop};

/// All that the host keeps for one guest: the data of its store.
pub(crate) struct Host {
    /// Keeps the guest's memories and tables within their limits.
    pub(crate) limiter: Limiter,
    /// The script's text, if the guest is a script.
    pub(crate) script: Option<Texts>,
    scope: Arc<dyn Scope>,
    table: Table,
    /// The request that the guest was called for. Its handle names it, and its body is taken from here.
    request: ::http::Request<Body>,
    /// Whether the request's fields were freed of what guests must not see; done when they are first asked for.
    request_cleaned: bool,
    /// Where the response's body goes, from `response-outparam.set` on.
    response: Option<Arc<Pipe>>,
    /// Set when the guest answered with an error instead of a response.
    answered_error: Option<String>,
    /// Outbound requests that wait for their response: indexes of `future-incoming-response`s.
    outbound: Vec<u32>,
    /// Objects that are being written: indexes of `outgoing-value`s.
    writes: Vec<u32>,
    /// SQL connections that are open.
    connections: usize,
    stdout: Lines,
    stderr: Lines,
}

impl Host {
    pub(crate) fn new(scope: Arc<dyn Scope>, request: ::http::Request<Body>, limits: Limits) -> Self {
        Self {
            limiter: Limiter::new(scope.clone(), limits.memory),
            script: None,
            scope,
            table: Table::new(),
            request,
            request_cleaned: false,
            response: None,
            answered_error: None,
            outbound: Vec::new(),
            writes: Vec::new(),
            connections: 0,
            stdout: Lines::stdout(),
            stderr: Lines::stderr(),
        }
    }

    /// Defines everything that the host serves. What else a component imports is for the caller to define.
    pub(crate) fn add_to_linker(linker: &mut Linker<Self>) -> wasmtime::Result<()> {
        closed::add_to_linker(linker)?;
        bindings::Guest::add_to_linker::<_, HasSelf<Self>>(linker, &bindings::LinkOptions::default(), |host| host)
    }

    /// The two handles to call the guest's handler with. Called once.
    pub(crate) fn incoming(&mut self) -> wasmtime::Result<(Resource<IncomingRequest>, Resource<ResponseOutparam>)> {
        Ok((self.table.push(IncomingRequest { body_left: true })?, self.table.push(ResponseOutparam)?))
    }

    /// Whether the client has gone away while its response was on its way: the guest should then be ended with `E0511`.
    ///
    /// Every waiting host call ends with that by itself; whoever lets a spinning guest go on asks here first.
    pub(crate) fn client_gone(&self) -> bool {
        self.response.as_ref().is_some_and(|pipe| pipe.is_abandoned())
    }

    /// Called once, when the guest has returned or trapped.
    ///
    /// # Errors
    /// Why the guest's end is a failure although it returned: it answered with an error (`E0504`).
    pub(crate) fn finish(mut self) -> Result<(), Stop> {
        match self.answered_error.take() {
            None => Ok(()),
            Some(message) => Err(Stop::Failed(Failure { code: Code::E0504, message })),
        }
    }

    /// Waits until `ready` is, and drives the guest's outbound requests and the objects that it writes in the meantime.
    ///
    /// # Errors
    /// Those of `ready`, and `E0511` once the client has gone.
    async fn wait<T>(
        &mut self,
        mut ready: impl FnMut(&mut Self, &mut Context<'_>) -> wasmtime::Result<Poll<T>>,
    ) -> wasmtime::Result<T> {
        poll_fn(|cx| {
            self.drive(cx);
            if let Poll::Ready(value) = ready(self, cx)? {
                return Poll::Ready(Ok(value));
            }
            match &self.response {
                Some(pipe) if pipe.poll_abandoned(cx).is_ready() => Poll::Ready(Err(client_gone().into())),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// Lets everything that the guest has under way make what progress it can.
    fn drive(&mut self, cx: &mut Context<'_>) {
        self.drive_outbound(cx);
        self.drive_writes(cx);
    }
}

impl Drop for Host {
    /// Writes out unfinished lines, also those of a guest that was stopped from outside: they may say what it was waiting for.
    fn drop(&mut self) {
        self.stdout.end(&*self.scope);
        self.stderr.end(&*self.scope);
    }
}

fn client_gone() -> Stop {
    Stop::Failed(Failure { code: Code::E0511, message: Code::E0511.title().to_owned() })
}
