//! What a guest's memories and tables may grow to.
//!
//! Growth is denied by the configured limit and nothing else, never by what the node happens to have, so that a replay is denied at
//! the same place. The limit holds for the sum of all linear memories of a component: a component with four has no more than one with one.

use std::sync::Arc;

use ports::Scope;
use types::ByteCount;
use wasmtime::ResourceLimiter;

/// Elements of one table. Guests need a few thousand: one for each function whose address is taken.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;
/// Core instances of one component. One made by componentize-py holds 14.
pub(crate) const CORE_INSTANCES: usize = 64;
/// Linear memories of one component.
pub(crate) const MEMORIES: usize = 4;
/// Tables of one component.
pub(crate) const TABLES: usize = 16;

/// Keeps one store's memories and tables within their limits and tells the scope how large they are.
pub(crate) struct Limiter {
    scope: Arc<dyn Scope>,
    memory_max: u64,
    memory_bytes: u64,
    denied: Option<Denied>,
}

/// The last growth that was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Of linear memory, in bytes over all memories.
    Memory { wanted: u64, allowed: u64 },
    /// Of a table, in elements.
    Table { wanted: u64, allowed: u64 },
}

impl Limiter {
    pub(crate) fn new(scope: Arc<dyn Scope>, memory_max: ByteCount) -> Self {
        Self { scope, memory_max: memory_max.0, memory_bytes: 0, denied: None }
    }

    /// The last growth that was denied, if any was: a guest that traps afterwards most likely ran out of memory.
    pub(crate) fn denied(&self) -> Option<Denied> {
        self.denied
    }

    fn deny(&mut self, denied: Denied) -> bool {
        let (Denied::Memory { wanted, allowed } | Denied::Table { wanted, allowed }) = denied;
        self.scope.grow_denied(wanted, allowed);
        self.denied = Some(denied);
        false
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let grown = (desired as u64).saturating_sub(current as u64);
        let wanted = self.memory_bytes.saturating_add(grown);
        if wanted > self.memory_max {
            return Ok(self.deny(Denied::Memory { wanted, allowed: self.memory_max }));
        }
        // Past its own maximum the engine refuses after asking here: that is the guest's own doing and counts nowhere.
        if maximum.is_none_or(|maximum| desired <= maximum) {
            self.memory_bytes = wanted;
            self.scope.memory(ByteCount(wanted));
        }
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            return Ok(self.deny(Denied::Table { wanted: desired as u64, allowed: TABLE_ELEMENTS as u64 }));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }
    fn tables(&self) -> usize {
        TABLES
    }
    fn memories(&self) -> usize {
        MEMORIES
    }
}
