//! Buckets. An object that is read is a body like any other (`natives::http`); one that is written has a number of its own.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use rquickjs::{Array, Ctx, Exception, Function, Object, Result, Value};

use super::values::{Bytes, number, or_null, told};
use crate::{
    host::{
        http_types::Written,
        services::{
            Answer,
            bucket::{self, Bucket, Writing},
        },
    },
    machine::{
        events::{self, Owner, Step},
        phase,
    },
    natives::{handles::Handles, http::keep_body},
};

/// An object that is being written, and whose waits they are that need it.
#[derive(Clone)]
struct Held {
    writing: Rc<RefCell<Option<Writing>>>,
    owner: Owner,
}

thread_local! {
    static BUCKETS: RefCell<BTreeMap<String, Rc<Bucket>>> = RefCell::default();
    static WRITINGS: Handles<Held> = const { Handles::new() };
}

pub(super) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("bucketGet", Function::new(ctx.clone(), get)?)?;
    native.set("bucketInfo", Function::new(ctx.clone(), info)?)?;
    native.set("bucketHas", Function::new(ctx.clone(), has)?)?;
    native.set("bucketDelete", Function::new(ctx.clone(), delete)?)?;
    native.set("bucketList", Function::new(ctx.clone(), list)?)?;
    native.set("bucketCopy", Function::new(ctx.clone(), copy)?)?;
    native.set("bucketPut", Function::new(ctx.clone(), put)?)?;
    native.set("bucketWrite", Function::new(ctx.clone(), write)?)?;
    native.set("bucketFinish", Function::new(ctx.clone(), finish)?)?;
    native.set("bucketAbort", Function::new(ctx.clone(), abort)?)
}

/// Asks a bucket, which is opened first if it was not yet.
fn ask<T>(ctx: &Ctx<'_>, name: &str, call: impl FnOnce(&Bucket) -> Answer<T>) -> Result<T> {
    phase::only_when_serving(ctx, "env")?;
    let bucket = match BUCKETS.with_borrow(|buckets| buckets.get(name).cloned()) {
        Some(bucket) => bucket,
        None => {
            let bucket = Rc::new(told(ctx, bucket::open(name))?);
            BUCKETS.with_borrow_mut(|buckets| buckets.insert(name.to_owned(), bucket.clone()));
            bucket
        }
    };
    told(ctx, call(&bucket))
}

/// `bucketGet(bucket, key, first, last)`: `[body, size]` or null. A `last` of null is the object's end.
fn get<'js>(ctx: Ctx<'js>, bucket: String, key: String, first: f64, last: Option<f64>) -> Result<Value<'js>> {
    let last = last.map_or(u64::MAX, |last| last as u64);
    let found = ask(&ctx, &bucket, |bucket| bucket.get(&key, first as u64, last))?;
    or_null(&ctx, found, |(body, bytes)| pair(&ctx, Value::new_number(ctx.clone(), keep_body(body).into()), number(&ctx, bytes)))
}

fn pair<'js>(ctx: &Ctx<'js>, first: Value<'js>, second: Value<'js>) -> Result<Value<'js>> {
    let both = Array::new(ctx.clone())?;
    both.set(0, first)?;
    both.set(1, second)?;
    Ok(both.into_value())
}

/// `bucketInfo(bucket, key)`: `[size, seconds since 1970]` or null.
fn info<'js>(ctx: Ctx<'js>, bucket: String, key: String) -> Result<Value<'js>> {
    let found = ask(&ctx, &bucket, |bucket| bucket.info(&key))?;
    or_null(&ctx, found, |info| pair(&ctx, number(&ctx, info.bytes), number(&ctx, info.written_s)))
}

/// `bucketHas(bucket, key)`.
fn has(ctx: Ctx<'_>, bucket: String, key: String) -> Result<bool> {
    ask(&ctx, &bucket, |bucket| bucket.has(&key))
}

/// `bucketDelete(bucket, keys)`.
fn delete(ctx: Ctx<'_>, bucket: String, keys: Vec<String>) -> Result<()> {
    ask(&ctx, &bucket, |bucket| bucket.delete(&keys))
}

/// `bucketList(bucket, prefix, after, limit)`: `[keys, isLast]`.
fn list<'js>(ctx: Ctx<'js>, bucket: String, prefix: String, after: Option<String>, limit: usize) -> Result<Value<'js>> {
    let page = ask(&ctx, &bucket, |bucket| bucket.list(&prefix, after.as_deref(), limit))?;
    let both = Array::new(ctx.clone())?;
    both.set(0, page.names)?;
    both.set(1, page.is_last)?;
    Ok(both.into_value())
}

/// `bucketCopy(bucket, key, target bucket, target key, moves)`.
fn copy(ctx: Ctx<'_>, bucket: String, key: String, to: String, target: String, moves: bool) -> Result<()> {
    phase::only_when_serving(&ctx, "env")?;
    told(&ctx, bucket::copy((&bucket, &key), (&to, &target), moves))
}

/// `bucketPut(bucket, key)`: the number of an object that is written.
fn put(ctx: Ctx<'_>, bucket: String, key: String) -> Result<u32> {
    let writing = ask(&ctx, &bucket, |bucket| bucket.put(&key))?;
    let held = Held { writing: Rc::new(RefCell::new(Some(writing))), owner: Owner::new() };
    Ok(WRITINGS.with(|writings| writings.insert(held)))
}

/// `bucketWrite(number, bytes)`: now or later whether all of them were taken; false if the store takes no more, and `bucketFinish` says why.
fn write<'js>(ctx: Ctx<'js>, id: u32, Bytes(bytes): Bytes) -> Result<Value<'js>> {
    let held = WRITINGS.with(|writings| writings.with(id, |held| held.clone()));
    let Some(Held { writing, owner }) = held else { return Err(Exception::throw_type(&ctx, "the object was written already")) };
    let mut taken = 0;
    events::until_ready(&ctx, owner, move |ctx| {
        let is = |all: bool| Ok(Step::Ready(Value::new_bool(ctx.clone(), all)));
        while taken < bytes.len() {
            let mut writing = writing.borrow_mut();
            let Some(writing) = writing.as_mut() else { return is(false) };
            match writing.write(&bytes[taken..]) {
                Written::Taken(count) => taken += count,
                Written::Wait(pollable) => return Ok(Step::Wait(pollable)),
                Written::Closed(_) => return is(false),
            }
        }
        is(true)
    })
}

/// `bucketFinish(number)`: makes it an object.
fn finish(ctx: Ctx<'_>, id: u32) -> Result<()> {
    match take(id) {
        Some(writing) => told(&ctx, writing.finish()),
        None => Err(Exception::throw_type(&ctx, "the object was written already")),
    }
}

/// `bucketAbort(number)`: forgets it, and it is not written.
fn abort(id: u32) {
    drop(take(id));
}

/// Waits are forgotten before the thing that they need.
fn take(id: u32) -> Option<Writing> {
    let Held { writing, owner } = WRITINGS.with(|writings| writings.take(id))?;
    events::cancel(owner);
    writing.take()
}
