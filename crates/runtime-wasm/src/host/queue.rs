//! `dayfly:queue`: sending to queues.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ports::scope::OpenQueue;
use types::{
    limits,
    queue::{Enqueued, Message, MessageId},
};
use wasmtime::component::Resource;

use super::{
    Host,
    bindings::dayfly::queue::producer::{self, Error, Sent},
    store::{Answered, Kind, Told, too_many},
};

/// The attribute in which a message's media type travels: `datacontenttype` of the event that its receiver gets.
const CONTENT_TYPE: &str = "content-type";

/// An open queue.
pub struct QueueHandle(Arc<OpenQueue>);

impl From<Told> for Error {
    fn from(Told { kind, text }: Told) -> Self {
        match kind {
            Kind::AccessDenied => Self::AccessDenied(text),
            Kind::TooLarge => Self::TooLarge(text),
            Kind::Conflict => Self::Conflict(text),
            Kind::UnknownOutcome => Self::UnknownOutcome(text),
            Kind::Unavailable => Self::Unavailable(text),
            Kind::Rejected | Kind::Busy | Kind::Other => Self::Other(text),
        }
    }
}

/// The message as stores have it.
fn message(message: producer::Message) -> Result<Message, Error> {
    let producer::Message { body, content_type, delay_ms, dedup_key, group, mut attributes } = message;
    let delay = Duration::from_millis(delay_ms.unwrap_or(0));
    if delay > limits::QUEUE_DELAY {
        let allowed = limits::QUEUE_DELAY.as_millis();
        return Err(Error::Invalid(format!("delay of {} ms, allowed {allowed}", delay.as_millis())));
    }
    if group.is_some() && !delay.is_zero() {
        return Err(Error::Invalid("a message of a group can't be delayed: the ones after it would wait too".into()));
    }
    if let Some(content_type) = content_type {
        attributes.retain(|(name, _)| name != CONTENT_TYPE);
        attributes.push((CONTENT_TYPE.to_owned(), content_type));
    }
    let (dedup, group) = (dedup_key.map(Bytes::from), group.map(Bytes::from));
    Ok(Message { body: body.into(), delay, dedup, group, attributes, cause: None })
}

fn sent(enqueued: Enqueued) -> Sent {
    // A message that is held back has no number yet.
    let text = |id: MessageId| (id != MessageId::HELD).then(|| id.to_string());
    match enqueued {
        Enqueued::New(id) => Sent { id: text(id), duplicate: false },
        Enqueued::Duplicate(id) => Sent { id: text(id), duplicate: true },
    }
}

impl Host {
    async fn enqueue(&mut self, queue: &Resource<QueueHandle>, messages: Vec<producer::Message>) -> Answered<Vec<Sent>, Error> {
        if messages.len() > limits::EVENT_BATCH {
            return Ok(Err(too_many("messages", messages.len(), limits::EVENT_BATCH).into()));
        }
        let open = self.table.get(queue)?.0.clone();
        let messages: Vec<Message> = match messages.into_iter().map(message).collect() {
            Ok(messages) => messages,
            Err(error) => return Ok(Err(error)),
        };
        if messages.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let enqueued = self.asked(open.queue.enqueue(&open.name, messages, None)).await?;
        Ok(enqueued.map(|all| all.into_iter().map(sent).collect()).map_err(|error| Told::from(error).into()))
    }
}

impl producer::Host for Host {
    fn open(&mut self, name: String) -> Answered<Resource<QueueHandle>, Error> {
        match self.scope.queue(&name) {
            Ok(open) => Ok(Ok(self.table.push(QueueHandle(Arc::new(open)))?)),
            Err(failure) => Ok(Err(Told::from(failure).into())),
        }
    }
}

impl producer::HostQueue for Host {
    async fn send(&mut self, queue: Resource<QueueHandle>, message: producer::Message) -> Answered<Sent, Error> {
        let sent = self.enqueue(&queue, vec![message]).await?;
        let one = |mut all: Vec<Sent>| all.pop().ok_or_else(|| Error::Other("the queue did not answer".into()));
        Ok(sent.and_then(one))
    }
    async fn send_batch(&mut self, queue: Resource<QueueHandle>, messages: Vec<producer::Message>) -> Answered<Vec<Sent>, Error> {
        self.enqueue(&queue, messages).await
    }
    fn drop(&mut self, queue: Resource<QueueHandle>) -> wasmtime::Result<()> {
        self.table.delete(queue)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> producer::Message {
        let attributes = vec![("a".to_owned(), "1".to_owned())];
        producer::Message { body: b"x".to_vec(), content_type: None, delay_ms: None, dedup_key: None, group: None, attributes }
    }

    #[test]
    fn the_media_type_travels_as_an_attribute() {
        let made = message(producer::Message { content_type: Some("text/plain".into()), ..given() }).expect("it is valid");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(made.attributes, [pair("a", "1"), pair("content-type", "text/plain")]);
    }

    #[test]
    fn delays_are_bounded_and_not_for_groups() {
        let days = |days: u64| Some(days * 24 * 60 * 60 * 1_000);
        assert!(message(producer::Message { delay_ms: days(14), ..given() }).is_ok());
        assert!(matches!(message(producer::Message { delay_ms: days(15), ..given() }), Err(Error::Invalid(_))));
        let grouped = producer::Message { delay_ms: Some(1), group: Some("g".into()), ..given() };
        assert!(matches!(message(grouped), Err(Error::Invalid(_))));
    }

    #[test]
    fn a_held_message_has_no_number() {
        assert_eq!(sent(Enqueued::New(MessageId::HELD)).id, None);
        assert_eq!(sent(Enqueued::Duplicate(MessageId(17))).id.as_deref(), Some("msg_17"));
    }
}
