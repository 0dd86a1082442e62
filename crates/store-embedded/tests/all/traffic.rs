//! Messages that go through queues while their process is killed: what the victim does with them, and what must be found afterwards.
//!
//! Each message is named by an id. It is sent to `in`; from there a worker acknowledges it, moves it on to `out` with a unit that also
//! writes an entry, or buries it; dead letters are sent back. So an id that was sent is in exactly one place, unless it was acknowledged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use ports::{
    queue::{Delivery, Message, QueueName, Settled},
    unit::{Effects, UnitOutcome},
};
use store_embedded::EmbeddedStore;
use types::kv::{Condition, IdempotencyKey, Namespace, Transaction, Write};

use crate::victim::{note, notes_of};

const LEASE: Duration = Duration::from_millis(200);
/// Nothing comes any more after so long without a message: longer than any commit takes.
const IDLE: Duration = Duration::from_secs(2);
const SENDERS: u64 = 4;
const WORKERS: u64 = 3;

fn queue(name: &str) -> QueueName {
    QueueName(format!("crash/dev/{name}"))
}

fn namespace() -> Namespace {
    Namespace("crash/dev/traffic".into())
}

/// Some ids are sent with an idempotency key, the others with a deduplication key: either makes a repetition harmless.
fn call(id: &str) -> (Vec<Message>, Option<IdempotencyKey>) {
    let body = Bytes::from(id.to_owned());
    let has_key = id.bytes().last().is_some_and(|last| last % 2 == 0);
    let dedup = (!has_key).then(|| body.clone());
    (vec![Message { body, dedup, ..Message::default() }], has_key.then(|| IdempotencyKey(id.into())))
}

/// Sends and works until everything is worked off.
pub(crate) async fn run(store: Arc<EmbeddedStore>, log: Arc<File>, generation: usize, messages_each: u64) {
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (store, log) = (store.clone(), log.clone());
        senders.spawn(async move {
            for i in 0..messages_each {
                let id = format!("{generation}-{sender}-{i}");
                note(&log, &format!("q send {id}"));
                let (messages, key) = call(&id);
                store.queue().enqueue(&queue("in"), messages, key).await.expect("there is room");
                note(&log, &format!("q send {id} done"));
            }
        });
    }
    let buried = Arc::new(Mutex::new(BTreeSet::new()));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(store.clone(), log.clone(), buried.clone()));
    }
    while let Some(ended) = senders.join_next().await {
        ended.expect("it does not panic");
    }
    while let Some(ended) = workers.join_next().await {
        ended.expect("it does not panic");
    }
}

async fn work(store: Arc<EmbeddedStore>, log: Arc<File>, buried: Arc<Mutex<BTreeSet<String>>>) {
    loop {
        let held = store.queue().claim(&queue("in"), 3, LEASE, IDLE).await.expect("claimable");
        for delivery in &held {
            let id = String::from_utf8_lossy(&delivery.message.body).into_owned();
            note(&log, &format!("q got {id} {}", delivery.receipt.attempt));
            match id.bytes().map(u32::from).sum::<u32>() % 5 {
                0 => acknowledge(&store, &log, &id, delivery).await,
                1 | 2 if buried.lock().insert(id.clone()) => bury(&store, &log, &id, delivery).await,
                _ => move_on(&store, &log, &id, delivery).await,
            }
        }
        let revived = store.queue().redrive(&queue("dead"), 2).await.expect("there is room");
        if held.is_empty() && revived == 0 {
            return;
        }
    }
}

async fn acknowledge(store: &EmbeddedStore, log: &File, id: &str, delivery: &Delivery) {
    note(log, &format!("q ack {id}"));
    let settled = store.queue().ack(&queue("in"), &[delivery.receipt]).await.expect("there is room");
    if settled == [Settled::Done] {
        note(log, &format!("q ack {id} done"));
    }
}

async fn bury(store: &EmbeddedStore, log: &File, id: &str, delivery: &Delivery) {
    note(log, &format!("q bury {id}"));
    store.queue().bury(&queue("in"), &[delivery.receipt], &queue("dead"), id).await.expect("there is room");
}

async fn move_on(store: &EmbeddedStore, log: &File, id: &str, delivery: &Delivery) {
    let key = Bytes::from(id.to_owned());
    let transaction = Transaction {
        conditions: vec![Condition::Absent(key.clone())],
        writes: vec![Write::Put { key, value: Bytes::new(), expires: None }],
        ..Transaction::default()
    };
    let effects = Effects {
        acks: vec![(queue("in"), delivery.receipt)],
        enqueues: vec![(queue("out"), Message { body: delivery.message.body.clone(), ..Message::default() })],
        kv: vec![(namespace(), transaction)],
        ..Effects::default()
    };
    let key = IdempotencyKey(format!("{} {}", delivery.receipt.id, delivery.receipt.attempt));
    let outcome = store.unit().commit(effects, key).await.expect("there is room");
    if outcome == UnitOutcome::Committed {
        note(log, &format!("q unit {id} done"));
    }
}

/// What the victims noted of one id.
#[derive(Debug, Default)]
struct Told {
    is_sent: bool,
    is_acked: bool,
    was_to_be_acked: bool,
    was_to_be_buried: bool,
    is_moved: bool,
    attempts: u32,
}

fn read(folder: &Path) -> BTreeMap<String, Told> {
    let mut all: BTreeMap<String, Told> = BTreeMap::new();
    let text = fs::read_to_string(notes_of(folder)).unwrap_or_default();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let ["q", what, id, rest @ ..] = &line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let told = all.entry((*id).to_owned()).or_default();
        match (*what, rest) {
            ("send", ["done"]) => told.is_sent = true,
            ("ack", ["done"]) => told.is_acked = true,
            ("ack", _) => told.was_to_be_acked = true,
            ("bury", _) => told.was_to_be_buried = true,
            ("unit", _) => told.is_moved = true,
            ("got", [attempt]) => told.attempts = told.attempts.max(attempt.parse().expect("a number")),
            _ => {}
        }
    }
    all
}

/// Where each id is, and how often it was delivered if it is in `in`.
async fn places(store: &EmbeddedStore) -> BTreeMap<String, Vec<(&'static str, u32)>> {
    let mut places: BTreeMap<String, Vec<(&'static str, u32)>> = BTreeMap::new();
    for name in ["in", "out", "dead"] {
        for peeked in store.queue().peek(&queue(name), None, 1_000_000).await.expect("readable") {
            let id = String::from_utf8_lossy(&peeked.message.body).into_owned();
            places.entry(id).or_default().push((name, peeked.attempts));
        }
    }
    places
}

/// What a crash must not do. Repeats every call whose outcome nobody was told. Empty is good.
pub(crate) async fn examine(store: &EmbeddedStore, folder: &Path) -> Vec<String> {
    let all = read(folder);
    let mut violations = Vec::new();
    let before = places(store).await;
    for (id, told) in &all {
        let at = before.get(id).map_or(&[][..], Vec::as_slice);
        let entry = store.kv().get(&namespace(), &Bytes::from(id.clone())).await.expect("readable");
        let is_moved = at.iter().any(|(name, _)| *name == "out");
        let may_be_gone = told.was_to_be_acked || !told.is_sent;
        let is_lost = at.is_empty() && !may_be_gone;
        let is_back = (told.is_acked && !at.is_empty()) || (told.is_moved && !is_moved);
        let is_half = entry.is_some() != is_moved;
        let is_undercounted = !told.was_to_be_buried && at.iter().any(|(name, n)| *name == "in" && *n < told.attempts);
        if at.len() > 1 || is_lost || is_back || is_half || is_undercounted {
            violations.push(format!("{id} is at {at:?}, {told:?}, entry: {}", entry.is_some()));
        }
    }
    // Twice, since a repetition may have been what was lost.
    for id in all.iter().filter(|(_, told)| !told.is_sent).map(|(id, _)| id).chain(all.keys().take(20)) {
        for _ in 0..2 {
            let (messages, key) = call(id);
            store.queue().enqueue(&queue("in"), messages, key).await.expect("it can be repeated");
        }
    }
    let after = places(store).await;
    for (id, told) in &all {
        let (was, is) = (before.get(id).map_or(0, Vec::len), after.get(id).map_or(0, Vec::len));
        if is > 1 || (is != was && told.is_sent) {
            violations.push(format!("{id} was {was} times, and is {is} times after a repetition: {told:?}"));
        }
    }
    violations
}
