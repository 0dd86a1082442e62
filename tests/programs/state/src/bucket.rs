//! Buckets: `/bucket/OPERATION?bucket=&key=`. Byte n of an object that `fill` writes is n mod 251.

use std::io::{self, Read};

use dayfly::{
    Error, Request, Response,
    bindings::blobstore::{blobstore, types::OutgoingValue},
    bucket::{self, Bucket},
};
use serde_json::json;

use crate::{Answer, number, required};

const PERIOD: u64 = 251;

fn open(request: &Request) -> Result<Bucket, Error> {
    bucket::open(request.query("bucket").unwrap_or("files"))
}

/// `/bucket/get?key=&first=&last=`: the object itself, as it comes.
pub fn get(request: &Request) -> Result<Response, Error> {
    let (first, last) = (number(request, "first", 0), number(request, "last", u64::MAX));
    let object = open(request)?.range(required(request, "key"), first, last)?;
    let bytes = object.bytes.to_string();
    Ok(Response::stream(200, "application/octet-stream", object).header("x-object-bytes", &bytes))
}

pub fn run(operation: &str, request: &Request) -> Answer {
    let name = request.query("bucket").unwrap_or("files");
    if let Some(answer) = containers(operation, name) {
        return answer;
    }
    let (bucket, key) = (open(request)?, request.query("key").unwrap_or("object"));
    match operation {
        // `?value=`, or else the request's body as it comes.
        "put" => match request.query("value") {
            Some(value) => bucket.write(key, value).map(|()| json!(value.len())),
            None => Ok(json!(bucket.put(key, request.body()?)?)),
        },
        "fill" => Ok(json!(bucket.put(key, Pattern { at: 0, end: number(request, "bytes", 300_000) })?)),
        // The source breaks off after so many bytes: nothing must be written.
        "break" => Ok(json!(bucket.put(key, Pattern { at: 0, end: number(request, "bytes", 300_000) }.chain(Broken))?)),
        "read" => bucket.read(key).map(|bytes| json!(String::from_utf8_lossy(&bytes).chars().take(100).collect::<String>())),
        "sum" => sum(&bucket, key),
        "info" => bucket.info(key).map(|info| json!({ "name": info.name, "bucket": info.container, "bytes": info.size })),
        "has" => Ok(json!(bucket.has(key)?)),
        "delete" => bucket.delete(key).map(|()| json!("deleted")),
        "clear" => bucket.clear().map(|()| json!("cleared")),
        "list" => Ok(json!(bucket.names()?.collect::<Result<Vec<_>, _>>()?)),
        "copy" | "move" => {
            let to = bucket::open(request.query("to").unwrap_or(name))?;
            let target = request.query("target").unwrap_or("copy");
            match operation {
                "copy" => bucket.copy(key, &to, target).map(|()| json!("copied")),
                _ => bucket.rename(key, &to, target).map(|()| json!("moved")),
            }
        }
        // Streams one object into another without holding it.
        "pipe" => Ok(json!(bucket.put(request.query("target").unwrap_or("copy"), bucket.get(key)?)?)),
        "late" => late(name, key, number(request, "bytes", 1_000)),
        other => Err(Error::other(format!("this program has no operation {other}"))),
    }
}

fn containers(operation: &str, name: &str) -> Option<Answer> {
    let done = |result: Result<(), String>| Some(result.map(|()| json!("done")).map_err(denied));
    match operation {
        "create" => done(blobstore::create_container(name).map(drop)),
        "remove" => done(blobstore::delete_container(name)),
        "exists" => Some(blobstore::container_exists(name).map(|is| json!(is)).map_err(denied)),
        _ => None,
    }
}

fn denied(message: String) -> Error {
    let kind = if message.starts_with("access denied") { dayfly::Kind::AccessDenied } else { dayfly::Kind::Other };
    Error::new(kind, message)
}

/// Reads all of an object in constant memory, and looks whether it is what `fill` writes.
fn sum(bucket: &Bucket, key: &str) -> Answer {
    let (mut object, mut chunk, mut at, mut right) = (bucket.get(key)?, vec![0; 64 << 10], 0_u64, true);
    loop {
        match object.read(&mut chunk)? {
            0 => return Ok(json!({ "bytes": at, "said": object.bytes, "right": right })),
            count => {
                right &= chunk[..count].iter().zip(at..).all(|(byte, at)| u64::from(*byte) == at % PERIOD);
                at += count as u64;
            }
        }
    }
}

/// Writes the bytes before any container is told of them.
fn late(bucket: &str, key: &str, bytes: u64) -> Answer {
    let value = OutgoingValue::new_outgoing_value();
    let body = value.outgoing_value_write_body().expect("the body is taken once");
    let mut left = bytes as usize;
    while left > 0 {
        let count = left.min(4096);
        if let Err(error) = body.blocking_write_and_flush(&vec![b'l'; count]) {
            return Err(Error::other(format!("{error:?}")));
        }
        left -= count;
    }
    drop(body);
    let container = blobstore::get_container(bucket).map_err(denied)?;
    container.write_data(key, &value).map_err(denied)?;
    OutgoingValue::finish(value).map(|()| json!(bytes)).map_err(denied)
}

struct Pattern {
    at: u64,
    end: u64,
}

impl Read for Pattern {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        for (byte, at) in into[..count].iter_mut().zip(self.at..) {
            *byte = (at % PERIOD) as u8;
        }
        self.at += count as u64;
        Ok(count)
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the source broke off"))
    }
}
