//! Buses of events: functions publish to them.

use std::sync::Arc;

use async_trait::async_trait;
use ports::{Body, Publish, StoreError, unit::UnitOutcome};
use types::{
    CloudEvent,
    event::BusName,
    journal::{Operation, Reply},
    kv::IdempotencyKey,
};

use super::service::{Granted, Service, another_kind};

/// A bus as a runtime sees it.
pub(crate) struct Front {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) name: String,
}

#[async_trait]
impl Publish for Front {
    async fn publish(&self, events: Vec<CloudEvent>) -> Result<(), StoreError> {
        let operation = Operation::Publish { bus: self.name.clone(), events };
        match self.service.call(operation, Body::Empty).await?.0 {
            Reply::Published => Ok(()),
            _ => another_kind(),
        }
    }
}

/// The real bus, under a grant.
pub(crate) struct Live(pub(crate) Granted);

#[async_trait]
impl Service for Live {
    async fn call(&self, operation: Operation, _: Body) -> Result<(Reply, Body), StoreError> {
        let Operation::Publish { bus, events } = operation else { return another_kind() };
        let Granted { services, function, cause, held, .. } = &self.0;
        self.0.writes()?;
        let bus = BusName::of(&function.key.app, &function.key.env, &bus);
        let effects = services.bus.effects(&bus, &events, Some(*cause))?;
        match held {
            Some(held) => held.publish(effects)?,
            None => {
                let mut once = [0; 16];
                services.rng.fill(&mut once);
                let once = IdempotencyKey(format!("publish:{:032x}", u128::from_be_bytes(once)));
                if let UnitOutcome::Refused(why) = services.unit.commit(effects, once).await? {
                    return Err(StoreError::Failed(why.reason));
                }
            }
        }
        Ok((Reply::Published, Body::Empty))
    }
}
