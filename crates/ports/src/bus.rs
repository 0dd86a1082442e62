//! Event buses of apps.

use async_trait::async_trait;
use types::{Cause, CloudEvent, event::BusName};

use crate::{StoreError, unit::Effects};

/// Knows who waits for which events.
pub trait Bus: Send + Sync {
    /// What publishing these events means: a record in the bus's stream for each, and a message in the queue of each function that waits
    /// for such. Nothing happens yet: whoever publishes commits it, alone or as a part of its unit.
    ///
    /// # Errors
    /// `TooLarge` by `limits::EVENT`, `Denied` for an event that breaks the specification's rules.
    fn effects(&self, bus: &BusName, events: &[CloudEvent], cause: Option<Cause>) -> Result<Effects, StoreError>;
}

/// A bus that a function may publish to.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Publishes all of the events or none. Durable when it returns, unless the function's effects are held until its success.
    async fn publish(&self, events: Vec<CloudEvent>) -> Result<(), StoreError>;
}
