//! A path for each service that keeps state, and a mode for events. README.md in the folder above lists them.

mod bucket;
mod delivery;
mod kv;
mod messages;
mod sql;

use dayfly::{Error, Kind, Request, Response, config};
use serde_json::{Value, json};

dayfly::function!(handle);

type Answer = Result<Value, Error>;

fn handle(request: Request) -> Result<Response, Error> {
    if let Some(delivery) = request.events()? {
        return delivery::work_off(&delivery);
    }
    let path = request.path.clone();
    let (first, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let answer = match first {
        "hello" => Ok(json!("hello from state")),
        "queue" => messages::queue(&request),
        "stream" => messages::stream(rest, &request),
        "publish" => messages::publish(&request),
        "sql" => sql::run(rest, &request),
        "kv" => kv::run(rest, &request),
        "secret" => config::get(required(&request, "name")).map(|value| json!(value)),
        "config" => config::all().map(|mut all| {
            all.sort();
            json!(all)
        }),
        "bucket" if rest == "get" => match bucket::get(&request) {
            Ok(response) => return Ok(response),
            Err(error) => Err(error),
        },
        "bucket" => bucket::run(rest, &request),
        "everything" => everything(&request),
        _ => return Ok(Response::text(format!("no such path: {path}\n")).status(404)),
    };
    Ok(match answer {
        // What a replay must reproduce byte for byte is kept where the answer is an error.
        Ok(value) if first == "everything" => Response::json(format!("{value}\n")).status(500),
        Ok(value) => Response::json(format!("{value}\n")),
        Err(error) => refused(&error),
    })
}

fn refused(error: &Error) -> Response {
    let status = match error.kind {
        Kind::AccessDenied => 403,
        Kind::TooLarge => 413,
        Kind::Invalid | Kind::Sql => 400,
        Kind::Conflict | Kind::Busy => 409,
        Kind::Trimmed(_) => 410,
        Kind::UnknownOutcome | Kind::Unavailable => 503,
        Kind::Other => 500,
    };
    let kind = format!("{:?}", error.kind);
    Response::json(format!("{}\n", json!({ "kind": kind, "message": error.message }))).status(status)
}

/// Uses every service once, whatever becomes of it, and tells all of it.
fn everything(request: &Request) -> Answer {
    let told =
        |answer: Answer| answer.unwrap_or_else(|error| json!({ "kind": format!("{:?}", error.kind), "message": error.message }));
    Ok(json!({
        "queue": told(messages::queue(request)),
        "stream": told(messages::stream("append", request)),
        "read": told(messages::stream("read", request)),
        "publish": told(messages::publish(request)),
        "sql": told(sql::run("batch", request)),
        "rows": told(sql::run("", request)),
        "kv": told(kv::run("incr", request)),
        "put": told(bucket::run("put", request)),
        "fill": told(bucket::run("fill", request)),
        "object": told(bucket::run("read", request)),
        "sum": told(bucket::run("sum", request)),
        "objects": told(bucket::run("list", request)),
        "copy": told(bucket::run("copy", request)),
        "config": told(config::all().map(|all| json!(all))),
    }))
}

/// The value of a query parameter that the program cannot do without. A request that lacks it is a mistake in the test.
fn required<'a>(request: &'a Request, name: &str) -> &'a str {
    request.query(name).unwrap_or_else(|| panic!("the request lacks ?{name}="))
}

fn number(request: &Request, name: &str, default: u64) -> u64 {
    request.query(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("?{name}= is not a number")))
}

/// `?body=`, or else the request's body.
fn body(request: &Request) -> Result<Vec<u8>, Error> {
    request.query("body").map_or_else(|| request.bytes(), |body| Ok(body.as_bytes().to_vec()))
}
