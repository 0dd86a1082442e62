//! Messages of queues as events.
//!
//! Type `dayfly.queue.message`, source `/apps/{app}/{env}/queue/{queue}`, id `msg_…`, the data is the body. The media type is the
//! attribute `content-type` of the message, or what the body looks like. Other attributes become further attributes of the event, their
//! names in lower case without anything but letters and digits.

use types::{AppKey, CloudEvent, queue::Delivery};

use super::origin;
use crate::cloudevents::{is_extension_name, is_text};

pub(crate) fn event(key: &AppKey, queue: &str, delivery: &Delivery) -> CloudEvent {
    let message = &delivery.message;
    let mut event = CloudEvent {
        id: delivery.receipt.id.to_string(),
        source: origin::source(key, "queue", queue),
        kind: "dayfly.queue.message".to_owned(),
        subject: None,
        time: Some(delivery.enqueued),
        content_type: None,
        schema: None,
        extensions: Vec::new(),
        data: Some(message.body.clone()),
    };
    for (name, value) in &message.attributes {
        if name.eq_ignore_ascii_case("content-type") && is_media_type(value) {
            event.content_type = Some(value.clone());
            continue;
        }
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let known = event.extensions.iter().any(|(other, _)| *other == name);
        if is_extension_name(&name) && is_text(value) && !known {
            event.extensions.push((name, value.clone()));
        }
    }
    event.content_type.get_or_insert_with(|| looks_like(&message.body).to_owned());
    event
}

fn is_media_type(value: &str) -> bool {
    value.contains('/') && value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// The media type of bytes about which nobody said anything.
pub(crate) fn looks_like(body: &[u8]) -> &'static str {
    match body.first() {
        Some(b'{' | b'[') if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => "application/json",
        _ if std::str::from_utf8(body).is_ok() => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use types::{
        Timestamp,
        queue::{Message, MessageId, Receipt},
    };

    use super::*;

    #[test]
    fn a_message_keeps_its_body_and_its_attributes() {
        let attributes = [("Content-Type", "text/csv"), ("X-Order-Id", "7"), ("id", "mine"), ("xorderid", "8"), ("bad", "a\nb")];
        let message = Message {
            body: "a,b".into(),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            ..Message::default()
        };
        let receipt = Receipt { id: MessageId(3), attempt: 1 };
        let delivery = Delivery { receipt, enqueued: Timestamp::from_unix_ms(1), message };
        let key = AppKey { app: "shop".parse().expect("a name"), env: "dev".parse().expect("a name") };
        let event = event(&key, "orders", &delivery);
        assert_eq!((event.id.as_str(), event.source.as_str()), ("msg_3", "/apps/shop/dev/queue/orders"));
        assert_eq!(event.content_type.as_deref(), Some("text/csv"));
        assert_eq!(event.extensions, [("xorderid".to_owned(), "7".to_owned())]);
        assert_eq!(crate::cloudevents::check(&event), Ok(()));
    }

    #[test]
    fn bodies_get_the_media_type_that_they_look_like() {
        for (body, expected) in
            [("{\"a\":1}", "application/json"), ("{a", "text/plain; charset=utf-8"), ("12", "text/plain; charset=utf-8")]
        {
            assert_eq!(looks_like(body.as_bytes()), expected);
        }
        assert_eq!(looks_like(b"\xff"), "application/octet-stream");
    }
}
