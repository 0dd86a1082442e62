//! The memory of all guests on this node: what decides whether another one is let in.
//!
//! A guest that runs may always grow to its own limit: were growth denied by what others use, a replay could not repeat it. So the
//! node protects itself at the door. What was admitted can still grow past the budget; functions with large memories want a lower
//! `concurrency`.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use types::{ByteCount, Code, Problem};

/// Linear memory in use, against the budget.
pub(crate) struct NodeMemory {
    used: Arc<AtomicU64>,
    budget: ByteCount,
}

/// One guest's share of the memory in use; given back when it is dropped.
pub(crate) struct Share {
    used: Arc<AtomicU64>,
    own: AtomicU64,
}

impl NodeMemory {
    /// A budget of three quarters of the machine's memory.
    pub(crate) fn of_machine() -> Self {
        Self::new(ByteCount(machine_memory().0 / 4 * 3))
    }

    pub(crate) fn new(budget: ByteCount) -> Self {
        Self { used: Arc::default(), budget }
    }

    /// Lets another guest in.
    ///
    /// # Errors
    /// `E0512` while guests use more than the budget.
    pub(crate) fn admit(&self) -> Result<(), Problem> {
        let used = ByteCount(self.used.load(Ordering::Relaxed));
        if used <= self.budget {
            return Ok(());
        }
        Err(Problem::limit(Code::E0512, "memory of all instances", used, self.budget))
    }

    /// A share for a guest that is about to run.
    pub(crate) fn share(&self) -> Share {
        Share { used: self.used.clone(), own: AtomicU64::new(0) }
    }
}

impl Share {
    /// The guest has this much now.
    pub(crate) fn set(&self, bytes: ByteCount) {
        let before = self.own.swap(bytes.0, Ordering::Relaxed);
        // Wraps below zero and back: the sum over all shares is right.
        self.used.fetch_add(bytes.0.wrapping_sub(before), Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(ByteCount(0));
    }
}

/// The machine's memory, from `/proc/meminfo`; where that can't be read, no bound.
fn machine_memory() -> ByteCount {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().next().and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
    ByteCount(kib.map_or(u64::MAX, |kib| kib << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_node_lets_nobody_in_until_a_guest_has_gone() {
        let node = NodeMemory::new(ByteCount::mib(10));
        let (first, second) = (node.share(), node.share());
        first.set(ByteCount::mib(8));
        first.set(ByteCount::mib(6));
        assert!(node.admit().is_ok());
        second.set(ByteCount::mib(5));
        assert_eq!(node.admit().map_err(|problem| problem.code), Err(Code::E0512));
        drop(first);
        assert!(node.admit().is_ok());
        drop(second);
        assert_eq!(node.used.load(Ordering::Relaxed), 0);
    }
}
