//! Key-value stores.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use rquickjs::{Array, BigInt, Ctx, Function, IntoJs, Object, Result, Value};

use super::values::{Bytes, list, or_null, text_or_bytes, told};
use crate::{
    host::services::{
        Answer,
        kv::{self, Cas, Store},
    },
    machine::phase,
};

thread_local! {
    static STORES: RefCell<BTreeMap<String, Rc<Store>>> = RefCell::default();
    static SWAPS: RefCell<BTreeMap<u32, Cas>> = RefCell::default();
}

/// Compare-and-swaps that are open at once; of more, the oldest is forgotten, and fails as if another had written.
const SWAPS_MAX: usize = 256;

pub(super) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("kvGet", Function::new(ctx.clone(), get)?)?;
    native.set("kvGetMany", Function::new(ctx.clone(), get_many)?)?;
    native.set("kvSetMany", Function::new(ctx.clone(), set_many)?)?;
    native.set("kvDeleteMany", Function::new(ctx.clone(), delete_many)?)?;
    native.set("kvHas", Function::new(ctx.clone(), has)?)?;
    native.set("kvKeys", Function::new(ctx.clone(), keys)?)?;
    native.set("kvIncrement", Function::new(ctx.clone(), increment)?)?;
    native.set("kvSwapBegin", Function::new(ctx.clone(), swap_begin)?)?;
    native.set("kvSwap", Function::new(ctx.clone(), swap)?)
}

/// Asks a store, which is opened first if it was not yet.
fn ask<T>(ctx: &Ctx<'_>, name: &str, call: impl FnOnce(&Store) -> Answer<T>) -> Result<T> {
    phase::only_when_serving(ctx, "env")?;
    let store = match STORES.with_borrow(|stores| stores.get(name).cloned()) {
        Some(store) => store,
        None => {
            let store = Rc::new(told(ctx, kv::open(name))?);
            STORES.with_borrow_mut(|stores| stores.insert(name.to_owned(), store.clone()));
            store
        }
    };
    told(ctx, call(&store))
}

/// `kvGet(store, key, isText)`: the value or null.
fn get<'js>(ctx: Ctx<'js>, store: String, key: String, is_text: bool) -> Result<Value<'js>> {
    let value = ask(&ctx, &store, |store| store.get(&key))?;
    or_null(&ctx, value, |value| text_or_bytes(&ctx, value, is_text))
}

/// `kvGetMany(store, keys, isText)`: for each key the value or null.
fn get_many<'js>(ctx: Ctx<'js>, store: String, keys: Vec<String>, is_text: bool) -> Result<Value<'js>> {
    let values = ask(&ctx, &store, |store| store.get_many(&keys))?;
    list(&ctx, values, |value| or_null(&ctx, value, |value| text_or_bytes(&ctx, value, is_text)))
}

/// `kvSetMany(store, keys, values)`: values as strings or `Uint8Array`s.
fn set_many(ctx: Ctx<'_>, store: String, keys: Vec<String>, values: Vec<Bytes>) -> Result<()> {
    let entries = keys.into_iter().zip(values).map(|(key, Bytes(value))| (key, value)).collect();
    ask(&ctx, &store, |store| store.set_many(entries))
}

/// `kvDeleteMany(store, keys)`.
fn delete_many(ctx: Ctx<'_>, store: String, keys: Vec<String>) -> Result<()> {
    ask(&ctx, &store, |store| store.delete_many(&keys))
}

/// `kvHas(store, key)`.
fn has(ctx: Ctx<'_>, store: String, key: String) -> Result<bool> {
    ask(&ctx, &store, |store| store.exists(&key))
}

/// `kvKeys(store, after)`: `[keys, last]`, the keys behind `after` in the order of their bytes; `last` is null if nothing follows.
fn keys<'js>(ctx: Ctx<'js>, store: String, after: Option<String>) -> Result<Value<'js>> {
    let (keys, last) = ask(&ctx, &store, |store| store.keys(after.as_deref()))?;
    let page = Array::new(ctx.clone())?;
    page.set(0, keys)?;
    page.set(1, or_null(&ctx, last, |last| last.into_js(&ctx))?)?;
    Ok(page.into_value())
}

/// `kvIncrement(store, key, by)`: the sum, both bigints.
fn increment<'js>(ctx: Ctx<'js>, store: String, key: String, by: BigInt<'js>) -> Result<BigInt<'js>> {
    let by = by.to_i64()?;
    let sum = ask(&ctx, &store, |store| store.increment(&key, by))?;
    BigInt::from_i64(ctx, sum)
}

/// `kvSwapBegin(store, key, isText)`: `[id, value or null]`.
fn swap_begin<'js>(ctx: Ctx<'js>, store: String, key: String, is_text: bool) -> Result<Value<'js>> {
    let swap = ask(&ctx, &store, |store| store.cas(&key))?;
    let value = told(&ctx, swap.current())?;
    let begun = Array::new(ctx.clone())?;
    begun.set(0, keep(swap))?;
    begun.set(1, or_null(&ctx, value, |value| text_or_bytes(&ctx, value, is_text))?)?;
    Ok(begun.into_value())
}

fn keep(swap: Cas) -> u32 {
    SWAPS.with_borrow_mut(|swaps| {
        if swaps.len() >= SWAPS_MAX {
            drop(swaps.pop_first());
        }
        let id = swaps.last_key_value().map_or(1, |(last, _)| last + 1);
        swaps.insert(id, swap);
        id
    })
}

/// `kvSwap(id, value)`: whether it was written, once for each id.
fn swap(ctx: Ctx<'_>, id: u32, Bytes(value): Bytes) -> Result<bool> {
    match SWAPS.with_borrow_mut(|swaps| swaps.remove(&id)) {
        Some(swap) => told(&ctx, swap.swap(value)),
        None => Ok(false),
    }
}
