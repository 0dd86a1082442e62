//! Services as a guest's scope offers them, in two halves.
//!
//! The **front** of a service ([`queue`](super::queue), [`stream`](super::stream) …) is the port that a runtime calls: it turns each call
//! into a typed [`Operation`] and the [`Reply`] back into the answer. Behind it stands a [`Service`]: in a live run [`Recorded`] around the
//! real one, in a replay [`Replayed`](super::replayed::Replayed) alone. So what is recorded, what is compared and what is answered can't
//! differ, and a new service writes each of its calls down once.

use std::sync::Arc;

use async_trait::async_trait;
use ports::{Body, StoreError};
use types::{
    AppName, Cause, Code, FunctionName, Grant, LiveFunction,
    app::{Access, Resource, ResourceKind},
    journal::{Failure, Operation, Reply},
};

use super::{held::Held, live::Pen};
use crate::engine::Services;

/// Answers the calls of one kind of service. A body that a call carries goes beside it; so does one that comes back.
#[async_trait]
pub(crate) trait Service: Send + Sync {
    async fn call(&self, operation: Operation, body: Body) -> Result<(Reply, Body), StoreError>;

    /// Lets a connection go, for services that have such.
    fn close(&self, _connection: u32) {}
}

/// A service whose calls are noted.
pub(crate) struct Recorded<S> {
    pub(crate) inner: S,
    pub(crate) pen: Arc<Pen>,
}

#[async_trait]
impl<S: Service> Service for Recorded<S> {
    async fn call(&self, operation: Operation, body: Body) -> Result<(Reply, Body), StoreError> {
        let id = self.pen.call(operation.clone());
        let result = self.inner.call(operation, body).await;
        self.pen.answered(id, &result, |(reply, _)| reply.clone());
        result
    }
    fn close(&self, connection: u32) {
        self.inner.close(connection);
    }
}

/// What the live half of every service knows: the resource it stands for, and on whose behalf it acts.
pub(crate) struct Granted {
    pub(crate) services: Arc<Services>,
    pub(crate) function: Arc<LiveFunction>,
    pub(crate) cause: Cause,
    pub(crate) held: Option<Arc<Held>>,
    pub(crate) access: Access,
    pub(crate) resource: Resource,
}

impl Granted {
    /// # Errors
    /// `Denied` if the grant is for reading only.
    pub(crate) fn writes(&self) -> Result<(), StoreError> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::Read => Err(read_only(&self.resource)),
        }
    }
}

/// What decides on the access to a resource: [`access`] or [`send_access`].
pub(crate) type Decide = fn(&str, &[Grant], ResourceKind, &str) -> Result<Access, Failure>;

/// What a call that the grant does not cover is told.
pub(crate) fn read_only(resource: &Resource) -> StoreError {
    StoreError::Denied(format!("{resource} is granted for reading only: write \"{resource}\" instead of \"{resource}:read\""))
}

/// What the grants allow with a resource.
///
/// # Errors
/// `E0201` if they don't name it.
pub(crate) fn access(function: &str, uses: &[Grant], kind: ResourceKind, name: &str) -> Result<Access, Failure> {
    let named = |grant: &&Grant| grant.resource.kind == kind && grant.resource.name == name;
    uses.iter().find(named).map(|grant| grant.access).ok_or_else(|| {
        let kind = kind.as_str();
        let message = format!("{function} was not granted {kind}.{name}: add \"{kind}.{name}\" to uses in [fn.{function}]");
        Failure { code: Code::E0201, message }
    })
}

/// What the grants allow with a resource that is only ever written to.
///
/// # Errors
/// `E0201` if they don't name it, `E0202` if they name it for reading.
pub(crate) fn send_access(function: &str, uses: &[Grant], kind: ResourceKind, name: &str) -> Result<Access, Failure> {
    match access(function, uses, kind, name)? {
        Access::ReadWrite => Ok(Access::ReadWrite),
        Access::Read => {
            let message = read_only(&Resource { kind, name: name.to_owned() }).to_string();
            Err(Failure { code: Code::E0202, message })
        }
    }
}

/// The names of the secrets that the grants name.
pub(crate) fn secrets(uses: &[Grant]) -> Vec<String> {
    let secrets = uses.iter().filter(|grant| grant.resource.kind == ResourceKind::Secret);
    secrets.map(|grant| grant.resource.name.clone()).collect()
}

/// The source of a function's events, where it names none: `/APP/FUNCTION`.
pub(crate) fn source(app: &AppName, function: &FunctionName) -> String {
    format!("/{app}/{function}")
}

/// What a front says to a reply that is of another kind than its call: the record is not one of such a call.
pub(crate) fn another_kind<T>() -> Result<T, StoreError> {
    Err(StoreError::Damaged("the record has a reply of another kind".into()))
}

/// What is told of the calls of a port that no guest has.
pub(crate) fn not_for_functions<T>(what: &str) -> Result<T, StoreError> {
    Err(StoreError::Denied(format!("{what} is not for functions")))
}
