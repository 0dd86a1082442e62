//! Queues, streams and buses: what is sent to others.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use rquickjs::{Array, Ctx, Function, IntoJs, Object, Result, Value};

use super::values::{Bytes, bytes, list, number, or_null, told};
use crate::{
    host::services::{
        Answer, Event, Message, Record, bus,
        queue::{self, Queue},
        stream::{self, Stream},
    },
    machine::phase,
};

thread_local! {
    static QUEUES: RefCell<BTreeMap<String, Rc<Queue>>> = RefCell::default();
    static STREAMS: RefCell<BTreeMap<String, Rc<Stream>>> = RefCell::default();
}

pub(super) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("queueSend", Function::new(ctx.clone(), send)?)?;
    native.set("streamAppend", Function::new(ctx.clone(), append)?)?;
    native.set("streamRead", Function::new(ctx.clone(), read)?)?;
    native.set("busPublish", Function::new(ctx.clone(), publish)?)
}

type Opened<T> = std::thread::LocalKey<RefCell<BTreeMap<String, Rc<T>>>>;

fn opened<T>(ctx: &Ctx<'_>, all: &'static Opened<T>, name: &str, open: impl FnOnce(&str) -> Answer<T>) -> Result<Rc<T>> {
    phase::only_when_serving(ctx, "env")?;
    if let Some(found) = all.with_borrow(|all| all.get(name).cloned()) {
        return Ok(found);
    }
    let made = Rc::new(told(ctx, open(name))?);
    all.with_borrow_mut(|all| all.insert(name.to_owned(), made.clone()));
    Ok(made)
}

/// `queueSend(queue, messages)`: each `[body, contentType, delayMs, dedup, group, [name, value, …]]`; gives `[id or null, duplicate]` of each.
fn send<'js>(ctx: Ctx<'js>, name: String, messages: Vec<Array<'js>>) -> Result<Value<'js>> {
    let messages = messages.iter().map(message).collect::<Result<Vec<_>>>()?;
    let queue = opened(&ctx, &QUEUES, &name, queue::open)?;
    list(&ctx, told(&ctx, queue.send(messages))?, |sent| {
        let both = Array::new(ctx.clone())?;
        both.set(0, or_null(&ctx, sent.id, |id| id.into_js(&ctx))?)?;
        both.set(1, sent.duplicate)?;
        Ok(both.into_value())
    })
}

fn message(given: &Array<'_>) -> Result<Message> {
    Ok(Message {
        body: given.get::<Bytes>(0)?.0,
        content_type: given.get(1)?,
        delay_ms: given.get::<Option<f64>>(2)?.map(|milliseconds| milliseconds as u64),
        dedup_key: given.get(3)?,
        group: given.get(4)?,
        attributes: pairs(given.get(5)?),
    })
}

/// Names and values by turns.
fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut texts = flat.into_iter();
    std::iter::from_fn(|| Some((texts.next()?, texts.next()?))).collect()
}

/// `streamAppend(stream, records)`: each `[body, key, dedup]`; gives `[partition, sequence]` or null of each.
fn append<'js>(ctx: Ctx<'js>, name: String, records: Vec<Array<'js>>) -> Result<Value<'js>> {
    let record = |given: &Array<'js>| {
        let key = given.get::<Option<Bytes>>(1)?.map(|key| key.0);
        Ok(Record { body: given.get::<Bytes>(0)?.0, key, dedup_key: given.get(2)? })
    };
    let records = records.iter().map(record).collect::<Result<Vec<_>>>()?;
    let stream = opened(&ctx, &STREAMS, &name, stream::open)?;
    list(&ctx, told(&ctx, stream.append(records))?, |position| {
        or_null(&ctx, position, |position| {
            let both = Array::new(ctx.clone())?;
            both.set(0, position.partition)?;
            both.set(1, number(&ctx, position.sequence))?;
            Ok(both.into_value())
        })
    })
}

/// `streamRead(stream, partition, from, max)`: `[sequence, appendedMs, key or null, body]` of each record.
fn read<'js>(ctx: Ctx<'js>, name: String, partition: u32, from: f64, max: u32) -> Result<Value<'js>> {
    let stream = opened(&ctx, &STREAMS, &name, stream::open)?;
    list(&ctx, told(&ctx, stream.read(partition, from as u64, max))?, |entry| {
        let record = Array::new(ctx.clone())?;
        record.set(0, number(&ctx, entry.sequence))?;
        record.set(1, number(&ctx, entry.appended_ms))?;
        record.set(2, or_null(&ctx, entry.key, |key| bytes(&ctx, key))?)?;
        record.set(3, bytes(&ctx, entry.body)?)?;
        Ok(record.into_value())
    })
}

/// `busPublish(bus, events)`: each `[id, source, type, subject, timeMs, contentType, schema, [name, value, …], data]`; gives their ids.
fn publish<'js>(ctx: Ctx<'js>, name: String, events: Vec<Array<'js>>) -> Result<Vec<String>> {
    phase::only_when_serving(&ctx, "env")?;
    let events = events.iter().map(event).collect::<Result<Vec<_>>>()?;
    told(&ctx, bus::publish(&name, events))
}

fn event(given: &Array<'_>) -> Result<Event> {
    Ok(Event {
        id: given.get(0)?,
        source: given.get(1)?,
        kind: given.get(2)?,
        subject: given.get(3)?,
        time_ms: given.get::<Option<f64>>(4)?.map(|milliseconds| milliseconds as u64),
        content_type: given.get(5)?,
        schema: given.get(6)?,
        extensions: pairs(given.get(7)?),
        data: given.get::<Option<Bytes>>(8)?.map(|data| data.0),
    })
}
