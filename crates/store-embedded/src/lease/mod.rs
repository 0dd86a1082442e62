//! Leases: a module of the shard. The epoch is in the file before anybody has it; until when it is held is in memory, by the monotonic
//! clock, since a holder ends with the process.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{Lease, StoreError, log::Epoch};
use rusqlite::{OptionalExtension as _, params};
use types::{Elapsed, limits};

use crate::{
    shard::{Applied, Batch, Module, Shard},
    sqlite::{int, uint},
};

/// Leases inside a batch.
#[derive(Default)]
pub(crate) struct LeaseModule(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    held: HashMap<String, Held>,
    /// What held before the open batch took it, to go back to.
    before: Vec<(String, Option<Held>)>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    epoch: Epoch,
    until_ns: u64,
}

impl LeaseModule {
    fn acquire(&self, batch: &Batch<'_>, name: &str, ttl: Duration) -> Applied<Option<Epoch>> {
        let mut memory = self.0.lock();
        if memory.held.get(name).is_some_and(|held| held.until_ns > batch.mono_ns) {
            return Ok(Ok(None));
        }
        let epoch = Epoch(newest(batch, name)?.map_or(1, |epoch| epoch.0 + 1));
        batch
            .connection
            .prepare_cached("INSERT OR REPLACE INTO lease (name, epoch) VALUES (?1, ?2)")?
            .execute(params![name, int(epoch.0)])?;
        memory.hold(batch, name, epoch, ttl);
        Ok(Ok(Some(epoch)))
    }

    fn renew(&self, batch: &Batch<'_>, name: &str, epoch: Epoch, ttl: Duration) -> Applied<()> {
        let mut memory = self.0.lock();
        // Nobody has taken it since: then it is still the holder's, even if its time had run out.
        if newest(batch, name)? != Some(epoch) {
            return Ok(Err(StoreError::Fenced(format!("lease {name:?} under epoch {}", epoch.0))));
        }
        memory.hold(batch, name, epoch, ttl);
        Ok(Ok(()))
    }

    fn release(&self, name: &str, epoch: Epoch) {
        let mut memory = self.0.lock();
        if memory.held.get(name).is_some_and(|held| held.epoch == epoch) {
            let held = memory.held.remove(name);
            memory.before.push((name.to_owned(), held));
        }
    }
}

impl Memory {
    fn hold(&mut self, batch: &Batch<'_>, name: &str, epoch: Epoch, ttl: Duration) {
        let until_ns = batch.mono_ns.saturating_add(Elapsed::from(ttl).ns());
        let before = self.held.insert(name.to_owned(), Held { epoch, until_ns });
        self.before.push((name.to_owned(), before));
    }
}

fn newest(batch: &Batch<'_>, name: &str) -> rusqlite::Result<Option<Epoch>> {
    let mut query = batch.connection.prepare_cached("SELECT epoch FROM lease WHERE name = ?1")?;
    let epoch: Option<i64> = query.query_one([name], |row| row.get(0)).optional()?;
    Ok(epoch.map(|epoch| Epoch(uint(epoch))))
}

impl Module for LeaseModule {
    fn committed(&self) {
        self.0.lock().before.clear();
    }

    fn rolled_back(&self) {
        let mut memory = self.0.lock();
        while let Some((name, before)) = memory.before.pop() {
            match before {
                Some(held) => drop(memory.held.insert(name, held)),
                None => drop(memory.held.remove(&name)),
            }
        }
    }
}

/// The leases of one node.
pub(crate) struct LeaseStore {
    shard: Arc<Shard>,
    module: Arc<LeaseModule>,
}

impl LeaseStore {
    pub(crate) fn new(shard: Arc<Shard>, module: Arc<LeaseModule>) -> Self {
        Self { shard, module }
    }
}

#[async_trait]
impl Lease for LeaseStore {
    async fn acquire(&self, name: &str, ttl: Duration) -> Result<Option<Epoch>, StoreError> {
        let (measured, allowed) = (name.len() as u64, limits::KV_KEY.0);
        if measured > allowed {
            return Err(StoreError::TooLarge { what: "key", measured, allowed });
        }
        let (module, name) = (self.module.clone(), name.to_owned());
        self.shard.run(move |batch| module.acquire(batch, &name, ttl)).await
    }

    async fn renew(&self, name: &str, epoch: Epoch, ttl: Duration) -> Result<(), StoreError> {
        let (module, name) = (self.module.clone(), name.to_owned());
        self.shard.run(move |batch| module.renew(batch, &name, epoch, ttl)).await
    }

    async fn release(&self, name: &str, epoch: Epoch) -> Result<(), StoreError> {
        let (module, name) = (self.module.clone(), name.to_owned());
        self.shard
            .run(move |_| {
                module.release(&name, epoch);
                Ok(Ok(()))
            })
            .await
    }
}
