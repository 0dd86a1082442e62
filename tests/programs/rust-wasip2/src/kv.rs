//! `/kv/OPERATION`: the whole of `wasi:keyvalue`. `?bucket=` names the bucket, `things` unless told.

use crate::bindings::keyvalue::{atomics, batch, store};
use atomics::{Cas, CasError};
use guest::{Call, Reply};
use serde_json::{Value, json};
use store::{Bucket, Error};

pub fn open(call: &Call) -> Result<Bucket, Error> {
    store::open(call.text("bucket").unwrap_or("things"))
}

pub fn run(operation: &str, call: &Call, reply: Reply) {
    match operate(operation, call) {
        Ok(value) => reply.json(200, &value),
        Err(Error::NoSuchStore) => reply.text(404, "no such store\n"),
        Err(Error::AccessDenied) => reply.text(403, "access denied\n"),
        Err(Error::Other(message)) => reply.text(500, format!("{message}\n")),
    }
}

fn operate(operation: &str, call: &Call) -> Result<Value, Error> {
    let bucket = open(call)?;
    match operation {
        "get" => Ok(json!(bucket.get(call.required("key"))?.map(readable))),
        "set" => {
            // The value is in the query for short ones, in the body for any.
            let value = call.text("value").map_or_else(|| call.body(), |value| value.as_bytes().to_vec());
            bucket.set(call.required("key"), &value)?;
            Ok(json!({ "set_bytes": value.len() }))
        }
        "delete" => bucket.delete(call.required("key")).map(|()| json!("deleted")),
        "exists" => Ok(json!(bucket.exists(call.required("key"))?)),
        "list" => list(&bucket, call.text("cursor")),
        "list-all" => list_all(&bucket),
        "incr" => {
            let by: i64 = call.text("by").unwrap_or("1").parse().expect("?by= is a number");
            Ok(json!(atomics::increment(&bucket, call.required("key"), by)?))
        }
        "cas" => cas(&bucket, call),
        "get-many" => {
            let pairs = batch::get_many(&bucket, &call.list("keys"))?;
            Ok(pairs.into_iter().map(|pair| json!(pair.map(|(key, value)| (key, readable(value))))).collect())
        }
        "set-many" => {
            let pairs: Vec<_> = call.list("pairs").iter().map(|pair| split(pair)).collect();
            batch::set_many(&bucket, &pairs).map(|()| json!({ "set": pairs.len() }))
        }
        "delete-many" => batch::delete_many(&bucket, &call.list("keys")).map(|()| json!("deleted")),
        other => Err(Error::Other(format!("this program has no operation {other}"))),
    }
}

fn list(bucket: &Bucket, cursor: Option<&str>) -> Result<Value, Error> {
    let page = bucket.list_keys(cursor)?;
    Ok(json!({ "keys": page.keys, "cursor": page.cursor }))
}

/// Every key, however many pages that takes.
fn list_all(bucket: &Bucket) -> Result<Value, Error> {
    let (mut keys, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = bucket.list_keys(cursor.as_deref())?;
        keys.extend(page.keys);
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(json!({ "keys": keys, "pages": pages }));
        }
    }
}

/// Swaps a value in. With `?meddle=` another write comes between the read and the swap: the first swap must fail, the second succeed.
fn cas(bucket: &Bucket, call: &Call) -> Result<Value, Error> {
    let (key, value) = (call.required("key"), call.required("value"));
    let cas = Cas::new(bucket, key)?;
    let before = cas.current()?.map(readable);
    if let Some(meddling) = call.text("meddle") {
        bucket.set(key, meddling.as_bytes())?;
    }
    match atomics::swap(cas, value.as_bytes()) {
        Ok(()) => Ok(json!({ "before": before, "swapped": true, "tries": 1 })),
        Err(CasError::StoreError(error)) => Err(error),
        Err(CasError::CasFailed(fresh)) => {
            let newer = fresh.current()?.map(readable);
            let swapped = atomics::swap(fresh, value.as_bytes()).is_ok();
            Ok(json!({ "before": before, "newer": newer, "swapped": swapped, "tries": 2 }))
        }
    }
}

fn split(pair: &str) -> (String, Vec<u8>) {
    let (key, value) = pair.split_once(':').expect("a pair is key:value");
    (key.to_owned(), value.as_bytes().to_vec())
}

fn readable(value: Vec<u8>) -> String {
    String::from_utf8_lossy(&value).into_owned()
}
