//! What a function with atomic effects did, until its success: nothing of it is seen by anyone but the function itself.
//!
//! Key-value writes are laid over the store for the function's own reads ([`kv`]); messages, records and events only wait. At the end all
//! of it is one [`Effects`], committed with the acknowledgements by [`flight`](crate::flight), or dropped.

pub(crate) mod kv;

use std::collections::BTreeMap;

use parking_lot::Mutex;
use ports::{StoreError, unit::Effects};
use types::{
    kv::{Namespace, Rev},
    limits,
    queue::{Enqueued, Message, MessageId, QueueName},
    stream::{Partition, Record, Sequence, StreamName},
};

use self::kv::Overlay;

/// The effects of one invocation so far.
#[derive(Default)]
pub(crate) struct Held(Mutex<State>);

#[derive(Default)]
struct State {
    stores: BTreeMap<Namespace, Overlay>,
    rest: Effects,
    weight: Weight,
    /// The last revision that was given to a held write.
    rev: u64,
    closed: bool,
}

/// How much is held.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    effects: usize,
    bytes: u64,
}

impl Weight {
    /// Adds so much more.
    ///
    /// # Errors
    /// If that is more than a unit may hold; nothing is added then.
    fn add(&mut self, effects: usize, bytes: u64) -> Result<(), StoreError> {
        let (effects, bytes) = (self.effects + effects, self.bytes + bytes);
        let (measured, allowed) = (effects as u64, limits::UNIT_EFFECTS as u64);
        if measured > allowed {
            return Err(StoreError::TooMany { what: "effects of one invocation", measured, allowed });
        }
        let allowed = limits::UNIT_BYTES.0;
        if bytes > allowed {
            return Err(StoreError::TooLarge { what: "effects", measured: bytes, allowed });
        }
        (self.effects, self.bytes) = (effects, bytes);
        Ok(())
    }
}

/// Revisions from here on are those of held writes. No store ever gets so far.
const HELD_REVS: u64 = 1 << 62;

impl State {
    fn next_rev(&mut self) -> Rev {
        self.rev += 1;
        Rev(HELD_REVS + self.rev)
    }

    /// # Errors
    /// Once the effects were taken: what still runs then belongs to a guest that has ended.
    fn open(&mut self) -> Result<&mut Self, StoreError> {
        if self.closed { Err(StoreError::Failed("the invocation is over".into())) } else { Ok(self) }
    }
}

impl Held {
    /// Holds messages for a queue.
    pub(crate) fn send(&self, queue: &QueueName, messages: Vec<Message>) -> Result<Vec<Enqueued>, StoreError> {
        checked("messages", messages.len(), messages.iter().map(message_bytes))?;
        if messages.iter().any(|message| message.group.is_some() && !message.delay.is_zero()) {
            return Err(StoreError::Denied("a message of a group can't be delayed".into()));
        }
        let mut state = self.0.lock();
        let state = state.open()?;
        state.weight.add(messages.len(), messages.iter().map(message_bytes).sum())?;
        let sent = vec![Enqueued::New(MessageId::HELD); messages.len()];
        state.rest.enqueues.extend(messages.into_iter().map(|message| (queue.clone(), message)));
        Ok(sent)
    }

    /// Holds records for a stream.
    pub(crate) fn append(&self, stream: &StreamName, records: Vec<Record>) -> Result<Vec<(Partition, Sequence)>, StoreError> {
        checked("records", records.len(), records.iter().map(record_bytes))?;
        let mut state = self.0.lock();
        let state = state.open()?;
        state.weight.add(records.len(), records.iter().map(record_bytes).sum())?;
        let places = vec![(Partition(0), Sequence::HELD); records.len()];
        state.rest.appends.extend(records.into_iter().map(|record| (stream.clone(), record)));
        Ok(places)
    }

    /// Holds what publishing means.
    pub(crate) fn publish(&self, effects: Effects) -> Result<(), StoreError> {
        let Effects { acks: _, enqueues, appends, kv: _, offsets: _ } = effects;
        let bytes = enqueues.iter().map(|(_, message)| message_bytes(message)).sum::<u64>()
            + appends.iter().map(|(_, record)| record_bytes(record)).sum::<u64>();
        let mut state = self.0.lock();
        let state = state.open()?;
        state.weight.add(enqueues.len() + appends.len(), bytes)?;
        state.rest.enqueues.extend(enqueues);
        state.rest.appends.extend(appends);
        Ok(())
    }

    /// All of it, and how many effects that are. Nothing can be added from then on.
    pub(crate) fn take(&self, cause: types::Cause) -> (Effects, usize) {
        let mut state = self.0.lock();
        state.closed = true;
        let mut effects = std::mem::take(&mut state.rest);
        for (namespace, overlay) in std::mem::take(&mut state.stores) {
            effects.kv.extend(overlay.into_transactions(cause).into_iter().map(|transaction| (namespace.clone(), transaction)));
        }
        (effects, state.weight.effects)
    }
}

/// # Errors
/// What a store would say at once to so many, or to one of them.
fn checked(what: &'static str, count: usize, mut sizes: impl Iterator<Item = u64>) -> Result<(), StoreError> {
    if count > limits::EVENT_BATCH {
        return Err(StoreError::TooMany { what, measured: count as u64, allowed: limits::EVENT_BATCH as u64 });
    }
    let allowed = limits::EVENT.0;
    match sizes.find(|size| *size > allowed) {
        Some(measured) => Err(StoreError::TooLarge { what: "event", measured, allowed }),
        None => Ok(()),
    }
}

fn message_bytes(message: &Message) -> u64 {
    let attributes = message.attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    (message.body.len() + attributes) as u64
}

fn record_bytes(record: &Record) -> u64 {
    (record.body.len() + record.key.as_ref().map_or(0, bytes::Bytes::len)) as u64
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(bytes: usize) -> Message {
        Message { body: Bytes::from(vec![0; bytes]), ..Message::default() }
    }

    #[test]
    fn a_unit_holds_so_many_effects_and_bytes_and_no_more() {
        let held = Held::default();
        let queue = QueueName("shop/dev/orders".into());
        for _ in 0..limits::UNIT_EFFECTS / limits::EVENT_BATCH {
            held.send(&queue, vec![message(1); limits::EVENT_BATCH]).expect("room");
        }
        let one_more = held.send(&queue, vec![message(1)]).expect_err("full");
        assert_eq!(
            (one_more.code(), one_more.to_string().as_str()),
            (types::Code::E0608, "10001 effects of one invocation, allowed 10000")
        );
        let held = Held::default();
        let large = limits::EVENT.as_usize();
        (0..64).for_each(|_| drop(held.send(&queue, vec![message(large)]).expect("room")));
        assert_eq!(held.send(&queue, vec![message(1)]).expect_err("full").code(), types::Code::E0608);
        assert_eq!(held.send(&queue, vec![message(large + 1)]).expect_err("too large").code(), types::Code::E0614);
    }

    #[test]
    fn nothing_is_added_to_what_was_taken() {
        let held = Held::default();
        let trace = types::TraceContext {
            trace: types::TraceId::from_bytes([1; 16]).expect("not zero"),
            span: types::SpanId::from_bytes([1; 8]).expect("not zero"),
            sampled: true,
        };
        held.append(&StreamName("shop/dev/s".into()), vec![Record::default()]).expect("room");
        assert_eq!(held.take(types::Cause { trace, depth: 1 }).0.appends.len(), 1);
        assert!(held.append(&StreamName("shop/dev/s".into()), vec![Record::default()]).is_err());
    }
}
