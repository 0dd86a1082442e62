//! Key-value stores: `/kv/OPERATION?store=&key=&value=`. The program `rust-wasip2` has the whole of the interface.

use dayfly::{Error, Request, kv};
use serde_json::json;

use crate::{Answer, body, number, required};

pub fn run(operation: &str, request: &Request) -> Answer {
    let store = kv::open(request.query("store").unwrap_or("things"))?;
    let key = request.query("key").unwrap_or("n");
    match operation {
        "get" => Ok(json!(store.text(key)?)),
        "set" => {
            let value = request.query("value").map_or_else(|| body(request), |value| Ok(value.as_bytes().to_vec()))?;
            store.set(key, value).map(|()| json!("set"))
        }
        "delete" => store.delete(required(request, "key")).map(|()| json!("deleted")),
        "exists" => Ok(json!(store.exists(key)?)),
        "incr" => Ok(json!(store.increment(key, number(request, "by", 1) as i64)?)),
        "keys" => Ok(json!(store.keys(request.query("after"))?.0)),
        // A value that only ever grows at its end, whoever else writes it.
        "append" => {
            let more = required(request, "value").as_bytes();
            store.update(key, |old| [&old.unwrap_or_default()[..], more].concat()).map(|()| json!("appended"))
        }
        other => Err(Error::other(format!("this program has no operation {other}"))),
    }
}
