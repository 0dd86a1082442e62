//! One queue in memory: in which of four places each message is, and the order of groups.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use ports::queue::QueueName;

use super::waiter::Waiter;

/// Whether a delivery of a message is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// There is none: it was never delivered, or was given back.
    Free,
    /// A consumer has it.
    Held,
    /// The lease ran out, and nobody else has got it yet: its receipt still settles it.
    Late,
}

/// What is known of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) group: Option<Bytes>,
    /// Until when it is held or delayed, by the monotonic clock; 0 for neither.
    pub(super) due_ns: u64,
    /// How often it was delivered.
    pub(super) attempts: u32,
    pub(super) hold: Hold,
}

/// One queue. A message is in exactly one of `ready`, `grouped`, `delayed` and `held`.
pub(super) struct Line {
    pub(super) name: QueueName,
    /// Its row in the file, once it has one.
    pub(super) row: Option<i64>,
    /// In nanoseconds, if it is not the platform's.
    pub(super) retention_ns: Option<u64>,
    /// No message is over before this time of the wall clock.
    pub(super) expires_ns: u64,
    /// Dead letters were put here: how they died is to be forgotten with them.
    pub(super) has_dead: bool,
    pub(super) ready: BTreeSet<u64>,
    /// Messages of groups, waiting for their group's turn.
    pub(super) grouped: BTreeMap<u64, Bytes>,
    pub(super) delayed: BTreeMap<u64, Delayed>,
    pub(super) held: BTreeMap<u64, Held>,
    /// Of messages that are not held: how often they were delivered, if ever, and whether the last receipt is still good.
    delivered: HashMap<u64, (u32, Hold)>,
    groups: HashMap<Bytes, Group>,
    /// Groups whose turn it is, by their first message.
    turns: BTreeMap<u64, Bytes>,
    pub(super) waiters: VecDeque<Arc<Waiter>>,
}

pub(super) struct Delayed {
    pub(super) due_ns: u64,
    group: Option<Bytes>,
}

pub(super) struct Held {
    pub(super) until_ns: u64,
    pub(super) attempts: u32,
    pub(super) group: Option<Bytes>,
}

/// Messages with one group key: delivered in order, one batch at a time.
#[derive(Default)]
struct Group {
    /// Those not held; whether they are delayed.
    waiting: BTreeMap<u64, bool>,
    held: usize,
    /// The key in `turns`.
    turn: Option<u64>,
}

impl Line {
    pub(super) fn new(name: QueueName) -> Self {
        Self {
            name,
            row: None,
            retention_ns: None,
            expires_ns: u64::MAX,
            has_dead: false,
            ready: BTreeSet::new(),
            grouped: BTreeMap::new(),
            delayed: BTreeMap::new(),
            held: BTreeMap::new(),
            delivered: HashMap::new(),
            groups: HashMap::new(),
            turns: BTreeMap::new(),
            waiters: VecDeque::new(),
        }
    }

    /// Puts a message where it belongs; what is due by now is not delayed.
    pub(super) fn put(&mut self, id: u64, known: Known, mono_ns: u64) {
        let Known { group, due_ns, attempts, hold } = known;
        if hold == Hold::Held {
            if let Some(key) = &group {
                self.groups.entry(key.clone()).or_default().held += 1;
                self.take_turn(key);
            }
            self.held.insert(id, Held { until_ns: due_ns, attempts, group });
            return;
        }
        if attempts > 0 {
            self.delivered.insert(id, (attempts, hold));
        }
        let is_delayed = due_ns > mono_ns;
        if let Some(key) = &group {
            self.groups.entry(key.clone()).or_default().waiting.insert(id, is_delayed);
            self.take_turn(key);
        }
        match group {
            group if is_delayed => drop(self.delayed.insert(id, Delayed { due_ns, group })),
            Some(key) => drop(self.grouped.insert(id, key)),
            None => drop(self.ready.insert(id)),
        }
    }

    /// Forgets a message; gives what was known of it.
    pub(super) fn take(&mut self, id: u64) -> Option<Known> {
        if let Some(Held { until_ns, attempts, group }) = self.held.remove(&id) {
            if let Some(key) = &group {
                let group = self.groups.entry(key.clone()).or_default();
                group.held = group.held.saturating_sub(1);
                self.take_turn(key);
            }
            return Some(Known { group, due_ns: until_ns, attempts, hold: Hold::Held });
        }
        let (group, due_ns) = if self.ready.remove(&id) {
            (None, 0)
        } else if let Some(key) = self.grouped.remove(&id) {
            (Some(key), 0)
        } else {
            let Delayed { due_ns, group } = self.delayed.remove(&id)?;
            (group, due_ns)
        };
        if let Some(key) = &group {
            self.groups.entry(key.clone()).or_default().waiting.remove(&id);
            self.take_turn(key);
        }
        let (attempts, hold) = self.delivered.remove(&id).unwrap_or((0, Hold::Free));
        Some(Known { group, due_ns, attempts, hold })
    }

    /// Whether it is the group's turn may have changed.
    fn take_turn(&mut self, key: &Bytes) {
        let Some(group) = self.groups.get_mut(key) else { return };
        let first = group.waiting.first_key_value().filter(|(_, is_delayed)| !**is_delayed && group.held == 0);
        let turn = first.map(|(id, _)| *id);
        if group.turn != turn {
            group.turn.inspect(|old| drop(self.turns.remove(old)));
            turn.inspect(|new| drop(self.turns.insert(*new, key.clone())));
            group.turn = turn;
        }
        if group.waiting.is_empty() && group.held == 0 {
            self.groups.remove(key);
        }
    }

    /// The next messages to deliver, oldest first: one, or at most `max` of one group. Those of a group that were delivered before come
    /// alone: what is behind them waits until they are done.
    pub(super) fn next(&self, max: usize) -> Vec<u64> {
        let turn = self.turns.first_key_value();
        match (self.ready.first(), turn) {
            (Some(id), turn) if turn.is_none_or(|(first, _)| id < first) => vec![*id],
            (_, Some((first, key))) => {
                let is_repeated = self.delivered.contains_key(first);
                let waiting = self.groups.get(key).into_iter().flat_map(|group| &group.waiting);
                let run = waiting.take_while(|(id, is_delayed)| !**is_delayed && self.delivered.contains_key(id) == is_repeated);
                run.map(|(id, _)| *id).take(max).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How often a message that is not held was delivered.
    pub(super) fn attempts(&self, id: u64) -> u32 {
        let held = self.held.get(&id).map(|held| held.attempts);
        held.or_else(|| self.delivered.get(&id).map(|(attempts, _)| *attempts)).unwrap_or(0)
    }

    /// Whether a receipt of this delivery is good.
    pub(super) fn is_good(&self, id: u64, attempt: u32) -> bool {
        match self.held.get(&id) {
            Some(held) => held.attempts == attempt,
            None => self.delivered.get(&id) == Some(&(attempt, Hold::Late)),
        }
    }

    /// At most `max` messages after a number, in order.
    pub(super) fn after(&self, after: Option<u64>, max: usize) -> Vec<u64> {
        let from = after.map_or(0, |after| after.saturating_add(1));
        let ready = self.ready.range(from..).take(max);
        let grouped = self.grouped.range(from..).take(max).map(|(id, _)| id);
        let delayed = self.delayed.range(from..).take(max).map(|(id, _)| id);
        let held = self.held.range(from..).take(max).map(|(id, _)| id);
        let mut all: Vec<u64> = ready.chain(grouped).chain(delayed).chain(held).copied().collect();
        all.sort_unstable();
        all.truncate(max);
        all
    }

    /// When a message that is delayed or held can be delivered; 0 for now.
    pub(super) fn due_ns(&self, id: u64) -> u64 {
        let held = self.held.get(&id).map(|held| held.until_ns);
        held.or_else(|| self.delayed.get(&id).map(|delayed| delayed.due_ns)).unwrap_or(0)
    }

    /// The oldest message that is neither delayed nor held.
    pub(super) fn oldest(&self) -> Option<u64> {
        let grouped = self.grouped.first_key_value().map(|(id, _)| id);
        self.ready.first().into_iter().chain(grouped).min().copied()
    }
}
