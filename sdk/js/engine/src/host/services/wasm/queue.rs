//! `dayfly:queue`.

use crate::host::{
    services::{Answer, Message, Sent},
    wasm::bindings::dayfly::queue::producer,
};

/// An open queue.
pub(crate) struct Queue(producer::Queue);

/// Opens a queue.
pub(crate) fn open(name: &str) -> Answer<Queue> {
    producer::open(name).map(Queue).map_err(told)
}

super::told!(producer::Error {
    AccessDenied => "access-denied",
    TooLarge => "too-large",
    Invalid => "invalid",
    Conflict => "conflict",
    UnknownOutcome => "unknown-outcome",
    Unavailable => "unavailable",
    Other => "other",
});

impl Queue {
    /// Sends all of the messages or none.
    pub(crate) fn send(&self, messages: Vec<Message>) -> Answer<Vec<Sent>> {
        let message = |message: Message| {
            let Message { body, content_type, delay_ms, dedup_key, group, attributes } = message;
            producer::Message { body, content_type, delay_ms, dedup_key, group, attributes }
        };
        let messages: Vec<producer::Message> = messages.into_iter().map(message).collect();
        let sent = match messages.as_slice() {
            [message] => self.0.send(message).map(|sent| vec![sent]),
            messages => self.0.send_batch(messages),
        };
        let ours = |producer::Sent { id, duplicate }| Sent { id, duplicate };
        Ok(sent.map_err(told)?.into_iter().map(ours).collect())
    }
}
