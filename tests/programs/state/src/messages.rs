//! Queues, streams and events.

use dayfly::{
    Error, Request,
    events::{self, Publish},
    queue::{self, Message},
    stream::{self, Record},
};
use serde_json::json;

use crate::{Answer, body, number, required};

/// `/queue/send?queue=&body=&n=&delay=&dedup=&group=&type=&size=`. With `n` a batch, whose bodies end in their number.
pub fn queue(request: &Request) -> Answer {
    let (count, payload) = (number(request, "n", 1), payload(request)?);
    let message = |index: u64| {
        let numbered = if count == 1 { payload.clone() } else { [&payload[..], format!("{index}").as_bytes()].concat() };
        let mut message = Message::new(numbered).attribute("sender", "state");
        if let Some(group) = request.query("group") {
            message = message.group(group);
        }
        if let Some(key) = request.query("dedup") {
            message = message.dedup_key(key);
        }
        if let Some(media) = request.query("type") {
            message = message.content_type(media);
        }
        if request.query("delay").is_some() {
            message = message.delay_ms(number(request, "delay", 0));
        }
        message
    };
    let queue = queue::open(required(request, "queue"))?;
    let sent = match count {
        1 => vec![queue.send(message(0))?],
        _ => queue.send_all((0..count).map(message))?,
    };
    Ok(sent.into_iter().map(|sent| json!({ "id": sent.id, "duplicate": sent.duplicate })).collect())
}

/// `/stream/append?stream=&body=&key=&n=&dedup=` and `/stream/read?stream=&partition=&from=&max=`.
pub fn stream(operation: &str, request: &Request) -> Answer {
    let stream = stream::open(required(request, "stream"))?;
    if operation == "read" {
        let partition = number(request, "partition", 0) as u32;
        let read = stream.read(partition, number(request, "from", 0), number(request, "max", 10) as u32)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = |entry: stream::Entry| json!([entry.sequence, entry.key.as_deref().map(text), text(&entry.body)]);
        return Ok(read.into_iter().map(entry).collect());
    }
    let (count, payload) = (number(request, "n", 1), payload(request)?);
    let record = |index: u64| {
        let numbered = if count == 1 { payload.clone() } else { [&payload[..], format!("{index}").as_bytes()].concat() };
        let mut record = Record::new(numbered);
        if let Some(key) = request.query("key") {
            record = record.key(key);
        }
        if let Some(key) = request.query("dedup") {
            record = record.dedup_key(key);
        }
        record
    };
    let appended = match count {
        1 => vec![stream.append(record(0))?],
        _ => stream.append_all((0..count).map(record))?,
    };
    Ok(appended.into_iter().map(|at| at.map_or(json!(null), |at| json!([at.partition, at.sequence]))).collect())
}

/// `/publish?type=&bus=&subject=&data=&id=&source=&time=&n=&x=NAME`: `x` names an extension that says `1`.
pub fn publish(request: &Request) -> Answer {
    let event = || {
        let mut event = Publish::new(required(request, "type"));
        type Set = fn(Publish, String) -> Publish;
        let given: [(&str, Set); 4] = [
            ("subject", |event, text| event.subject(text)),
            ("id", |event, text| event.id(text)),
            ("source", |event, text| event.source(text)),
            ("data", |event, text| event.data("text/plain", text)),
        ];
        for (name, set) in given {
            if let Some(text) = request.query(name) {
                event = set(event, text.to_owned());
            }
        }
        if let Some(name) = request.query("x") {
            event = event.extension(name, "1");
        }
        if request.query("time").is_some() {
            event = event.time_ms(number(request, "time", 0));
        }
        event
    };
    let bus = request.query("bus");
    match (number(request, "n", 1), bus) {
        (1, None) => Ok(json!([events::publish(event())?])),
        (1, Some(bus)) => Ok(json!([events::publish_on(bus, event())?])),
        (count, bus) => Ok(json!(events::publish_all(bus, (0..count).map(|_| event()))?)),
    }
}

/// The body, or with `?size=` so many bytes.
fn payload(request: &Request) -> Result<Vec<u8>, Error> {
    match number(request, "size", 0) {
        0 => body(request),
        size => Ok(vec![b'x'; size as usize]),
    }
}
