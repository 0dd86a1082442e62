//! Sending to queues. Whoever receives is started by the queue, with [`Event`](crate::Event)s.
//!
//! ```no_run
//! use dayfly::queue::{self, Message};
//!
//! # fn main() -> Result<(), dayfly::Error> {
//! queue::send("orders", "{\"id\": 7}")?;
//! let orders = queue::open("orders")?;
//! orders.send(Message::new("{\"id\": 8}").content_type("application/json").dedup_key("order-8").delay_ms(60_000))?;
//! # Ok(())
//! # }
//! ```

use crate::{
    Error,
    bindings::queue::producer::{self, Message as Wire},
};

/// What became of a message: its id, none while it is held back, and whether it was sent before.
pub use producer::Sent;

/// A message.
#[derive(Debug, Clone)]
pub struct Message(Wire);

impl Message {
    /// A message with nothing but its body.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        let (body, attributes) = (body.into(), Vec::new());
        Self(Wire { body, content_type: None, delay_ms: None, dedup_key: None, group: None, attributes })
    }
    /// The media type of the body.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.0.content_type = Some(content_type.into());
        self
    }
    /// Not delivered before so many milliseconds.
    pub fn delay_ms(mut self, delay_ms: u64) -> Self {
        self.0.delay_ms = Some(delay_ms);
        self
    }
    /// Messages with the same key within five minutes are one.
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.0.dedup_key = Some(key.into());
        self
    }
    /// Messages of one group are delivered in order.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.0.group = Some(group.into());
        self
    }
    /// A name and value that travel along.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.attributes.push((name.into(), value.into()));
        self
    }
}

impl<T: Into<Vec<u8>>> From<T> for Message {
    fn from(body: T) -> Self {
        Self::new(body)
    }
}

/// An open queue.
pub struct Queue(producer::Queue);

/// Opens a queue by its name in the manifest: `queue.orders` is `orders`.
pub fn open(name: &str) -> Result<Queue, Error> {
    Ok(Queue(producer::open(name)?))
}

/// Sends one message.
pub fn send(queue: &str, message: impl Into<Message>) -> Result<Sent, Error> {
    open(queue)?.send(message)
}

impl Queue {
    /// Sends one message.
    pub fn send(&self, message: impl Into<Message>) -> Result<Sent, Error> {
        Ok(self.0.send(&message.into().0)?)
    }
    /// Sends all of them or none, at most 1,000 and at most 8 MiB.
    pub fn send_all(&self, messages: impl IntoIterator<Item = Message>) -> Result<Vec<Sent>, Error> {
        let messages: Vec<Wire> = messages.into_iter().map(|message| message.0).collect();
        Ok(self.0.send_batch(&messages)?)
    }
}
