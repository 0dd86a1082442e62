//! What the program does when it is called for events: the setting `MODE` says it. README.md in the folder above lists the modes.

use std::io::{self, Read};

use dayfly::{
    Delivery, Error, Event, Response, bucket, config,
    events::{self, Publish},
    kv,
    queue::{self, Message},
    sql,
};
use serde_json::json;

pub fn work_off(delivery: &Delivery) -> Result<Response, Error> {
    let mode = setting("MODE", "count")?;
    println!("{mode}: {} events, batch {}", delivery.events.len(), delivery.is_batch);
    match mode.as_str() {
        "count" => count(delivery).map(|()| Response::done()),
        "fail" => Ok(Response::text("failed on purpose\n").status(500)),
        "fail-ids" => Ok(fail_bad(delivery)),
        "count-good" => count_good(delivery),
        "unknown-ids" => Ok(Response::failed(["nobody"])),
        "nonsense" => Ok(Response::json("{\"failed\": 7}")),
        "count-unknown-ids" => count(delivery).map(|()| Response::failed(["nobody"])),
        "count-nonsense" => count(delivery).map(|()| Response::json("{\"failed\": 7}")),
        "trap" => {
            count(delivery)?;
            panic!("trapped on purpose, after {} events", delivery.events.len());
        }
        // The answer is on its way before it traps.
        "trap-after-ack" => {
            count(delivery)?;
            Ok(Response::stream(200, "text/plain", Trap))
        }
        "forward" => each(delivery, forward),
        "set" => each(delivery, set),
        "publish" => each(delivery, publish),
        "use-and-fail" => use_and_fail(delivery),
        "log" => each(delivery, |event| {
            log(event);
            Ok(())
        }),
        other => Err(Error::other(format!("this program has no mode {other}"))),
    }
}

fn each(delivery: &Delivery, work: impl Fn(&Event) -> Result<(), Error>) -> Result<Response, Error> {
    delivery.events.iter().try_for_each(work).map(|()| Response::done())
}

/// Counts the events under `n`, and sends a message for each, whose body is the event's id.
fn count(delivery: &Delivery) -> Result<(), Error> {
    count_events(&delivery.events.iter().collect::<Vec<_>>())
}

fn count_events(events: &[&Event]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    kv::open(&setting("STORE", "things")?)?.increment("n", events.len() as i64)?;
    let out = queue::open(&setting("OUT", "out")?)?;
    out.send_all(events.iter().map(|event| Message::new(event.id.as_str()))).map(drop)
}

fn is_bad(event: &Event) -> bool {
    event.text().contains("bad")
}

/// Fails those events whose data contains `bad`.
fn fail_bad(delivery: &Delivery) -> Response {
    let bad = delivery.events.iter().filter(|event| is_bad(event)).map(|event| event.id.as_str());
    match delivery.is_batch {
        true => Response::failed(bad),
        false if bad.count() > 0 => Response::text("failed on purpose\n").status(500),
        false => Response::done(),
    }
}

/// Counts those that are not bad, and fails the others.
fn count_good(delivery: &Delivery) -> Result<Response, Error> {
    let good: Vec<&Event> = delivery.events.iter().filter(|event| !is_bad(event)).collect();
    count_events(&good)?;
    Ok(fail_bad(delivery))
}

fn forward(event: &Event) -> Result<(), Error> {
    queue::send(&setting("OUT", "out")?, event.data.clone()).map(drop)
}

/// Keeps the event's data under its subject, or else its id.
fn set(event: &Event) -> Result<(), Error> {
    let key = event.subject.as_deref().unwrap_or(&event.id);
    kv::open(&setting("STORE", "things")?)?.set(key, &event.data)
}

fn publish(event: &Event) -> Result<(), Error> {
    let published = Publish::new(setting("TYPE", "forwarded")?).subject(event.id.as_str());
    events::publish(published.data("text/plain", event.data.clone())).map(drop)
}

/// Uses a database, a bucket, a queue, a store and a secret, and answers 500 with what came of it. Of the secret it tells the length alone.
fn use_and_fail(delivery: &Delivery) -> Result<Response, Error> {
    let event = delivery.events.first().ok_or_else(|| Error::other("no event"))?;
    let database = sql::open("main")?;
    database.execute("CREATE TABLE IF NOT EXISTS used (id TEXT, body TEXT)", Vec::new())?;
    let row = vec![sql::Value::Text(event.id.clone()), sql::Value::Text(event.text())];
    database.execute("INSERT INTO used VALUES (?1, ?2)", row)?;
    let rows = database.query("SELECT count(*), max(body) FROM used", Vec::new())?;
    let files = bucket::open("files")?;
    files.write(&event.id, &event.data)?;
    let object = files.read(&event.id)?;
    let sent = queue::send(&setting("OUT", "out")?, event.data.clone())?;
    let count = kv::open(&setting("STORE", "things")?)?.increment("n", 1)?;
    let secret = config::get("API_KEY")?.map(|secret| secret.len());
    let told = json!({
        "event": event.id, "rows": format!("{:?}", rows.rows), "object": object.len(), "names": files.names()?.collect::<Result<Vec<_>, _>>()?,
        "sent": sent.id, "count": count, "secret": secret,
    });
    println!("used {told}");
    Ok(Response::json(format!("{told}\n")).status(500))
}

fn log(event: &Event) {
    let Event { id, source, kind, subject, content_type, .. } = event;
    let text = event.text();
    println!("event {kind} id {id} source {source} subject {subject:?} type {content_type:?} data {text}");
    for (name, value) in &event.extensions {
        println!("extension {name} {value}");
    }
}

fn setting(name: &str, default: &str) -> Result<String, Error> {
    Ok(config::get(name)?.unwrap_or_else(|| default.to_owned()))
}

struct Trap;

impl Read for Trap {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("trapped on purpose, after the answer")
    }
}
