//! Queues in memory: what was sent can be looked at.

use std::{cell::RefCell, collections::BTreeMap};

use super::granted;
use crate::host::services::{Answer, Failed, Message, Sent};

thread_local! {
    static QUEUES: RefCell<BTreeMap<String, Vec<Message>>> = RefCell::default();
}

/// An open queue.
pub struct Queue(String);

/// Opens a queue.
pub fn open(name: &str) -> Answer<Queue> {
    granted("queue", name)?;
    Ok(Queue(name.to_owned()))
}

/// What was sent to a queue.
pub fn sent(name: &str) -> Vec<Message> {
    QUEUES.with_borrow(|queues| queues.get(name).cloned().unwrap_or_default())
}

impl Queue {
    /// Sends all of the messages or none.
    pub fn send(&self, messages: Vec<Message>) -> Answer<Vec<Sent>> {
        if messages.iter().any(|message| message.group.is_some() && message.delay_ms.is_some()) {
            return Err(Failed::new("invalid", "a message of a group can't be delayed: the ones after it would wait too"));
        }
        QUEUES.with_borrow_mut(|queues| {
            let queue = queues.entry(self.0.clone()).or_default();
            let send = |message: Message| {
                let same = |other: &Message| message.dedup_key.is_some() && other.dedup_key == message.dedup_key;
                let (duplicate, index) = match queue.iter().position(same) {
                    Some(index) => (true, index),
                    None => {
                        queue.push(message);
                        (false, queue.len() - 1)
                    }
                };
                Sent { id: Some(format!("msg_{}", index + 1)), duplicate }
            };
            Ok(messages.into_iter().map(send).collect())
        })
    }
}
