//! What is known of all messages without reading them: where each waits, who holds it, and what is due when. Ids and times only.
//!
//! This is a picture of the file, made by one scan at start. Whatever changes a message in the file changes it here in the same batch,
//! and notes its number: when a batch or a part of one is undone, just those messages are looked up again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ports::queue::QueueName;

use super::line::{Hold, Known, Line};

/// Which queue, by its place in memory: one may be waited at before it has a row in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct At(pub(super) usize);

/// All queues.
#[derive(Default)]
pub(super) struct Memory {
    lines: Vec<Line>,
    names: HashMap<QueueName, At>,
    rows: HashMap<i64, At>,
    /// What is due: monotonic time and message.
    due: BTreeMap<(u64, u64), At>,
    /// Messages that the open batch changed.
    pub(super) touched: Vec<(At, u64)>,
    /// Queues whose row the open batch made or changed.
    pub(super) amended: Vec<At>,
    /// Queues at which somebody waits and something may have become ready.
    pub(super) hot: BTreeSet<At>,
    /// The next message's number, and up to where the file has reserved them. Nothing is reserved at start.
    pub(super) next_id: u64,
    pub(super) reserved: u64,
}

impl Memory {
    /// The queue of a name; a new one is known in memory only.
    pub(super) fn at(&mut self, name: &QueueName) -> At {
        if let Some(at) = self.names.get(name) {
            return *at;
        }
        let at = At(self.lines.len());
        self.lines.push(Line::new(name.clone()));
        self.names.insert(name.clone(), at);
        at
    }

    pub(super) fn find(&self, name: &QueueName) -> Option<At> {
        self.names.get(name).copied()
    }

    pub(super) fn of_row(&self, row: i64) -> Option<At> {
        self.rows.get(&row).copied()
    }

    /// The queue's row in the file.
    pub(super) fn row(&self, at: At) -> Option<i64> {
        self.lines[at.0].row
    }

    pub(super) fn line(&mut self, at: At) -> &mut Line {
        &mut self.lines[at.0]
    }

    pub(super) fn lines(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// The queue has this row in the file, or none.
    pub(super) fn set_row(&mut self, at: At, row: Option<i64>) {
        if let Some(old) = std::mem::replace(&mut self.lines[at.0].row, row) {
            self.rows.remove(&old);
        }
        if let Some(row) = row {
            self.rows.insert(row, at);
        }
    }

    /// A message is there.
    pub(super) fn put(&mut self, at: At, id: u64, known: Known, mono_ns: u64) {
        if known.due_ns > mono_ns || known.hold == Hold::Held {
            self.due.insert((known.due_ns, id), at);
        }
        self.lines[at.0].put(id, known, mono_ns);
        self.heat(at);
    }

    /// Forgets a message; gives what was known of it.
    pub(super) fn take(&mut self, at: At, id: u64) -> Option<Known> {
        let known = self.lines[at.0].take(id)?;
        self.due.remove(&(known.due_ns, id));
        if known.group.is_some() {
            // Its group may be free now.
            self.heat(at);
        }
        Some(known)
    }

    /// If somebody waits there, it is looked at before the batch ends.
    pub(super) fn heat(&mut self, at: At) {
        if !self.lines[at.0].waiters.is_empty() {
            self.hot.insert(at);
        }
    }

    /// Delays and leases that are over.
    pub(super) fn promote(&mut self, mono_ns: u64) {
        while let Some((&(due_ns, id), &at)) = self.due.first_key_value().filter(|((due_ns, _), _)| *due_ns <= mono_ns) {
            self.due.remove(&(due_ns, id));
            let Some(known) = self.lines[at.0].take(id) else { continue };
            let hold = if known.hold == Hold::Held { Hold::Late } else { known.hold };
            self.put(at, id, Known { due_ns: 0, hold, ..known }, mono_ns);
        }
    }

    /// When the next delay or lease is over.
    pub(super) fn next_due_ns(&self) -> Option<u64> {
        self.due.first_key_value().map(|((due_ns, _), _)| *due_ns)
    }
}
