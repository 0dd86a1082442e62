//! kill -9 at every failpoint and at any moment: what was acknowledged is there, what was not is wholly there or wholly absent, and a
//! repetition with the same idempotency key has one effect.

use std::{collections::BTreeMap, os::unix::process::ExitStatusExt as _, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt as _;
use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use system::SystemClock;
use testkit::{SeededRng, rng::seeds};
use types::kv::{Change, Committed, Rev, WatchFrom};

use crate::{
    ledger, traffic,
    victim::{self, Notes, Orders},
};

const SIGKILL: i32 = 9;

/// What a crash must not do. Empty is good.
type Violations = Vec<String>;

/// Reopens the folder and compares it with what the victim was told; then repeats what it doesn't know.
async fn examine(folder: &Path, skip: Option<Point>) -> Violations {
    let notes = Notes::read(folder);
    let failpoints = skip.map_or_else(Failpoints::default, |point| Failpoints::default().with(point, Fault::Skip, 0));
    let store =
        EmbeddedStore::open_with(folder, Arc::new(SystemClock::new()), failpoints).expect("a killed process leaves no lock");
    let mut violations = Vec::new();
    for (place, (id, told)) in notes.kv.iter().enumerate() {
        // Every unknown one is repeated; of the others some do.
        let is_repeated = told.is_none() || place % 16 == 0;
        violations.extend(examine_transaction(&store, id, told.map(Rev), is_repeated).await);
    }
    for (id, was_told) in &notes.blobs {
        let bytes = victim::blob(id);
        let digest = types::Digest::from_bytes(*blake3::hash(&bytes).as_bytes());
        match store.blob().get(&digest).await {
            Ok(Some(stored)) if stored == bytes => {}
            Ok(None) if !was_told => drop(store.blob().put(bytes).await.expect("there is room")),
            other => violations.push(format!("blob {id} (told: {was_told}): {other:?}")),
        }
    }
    let revisions = store.catalog().revisions(&victim::app_key()).await.expect("readable");
    let newest = revisions.first().map(|revision| revision.number);
    if newest < notes.revision || newest.map_or(0, |newest| newest.0 as usize) != revisions.len() {
        violations.push(format!("told of revision {:?}, found {} up to {newest:?}", notes.revision, revisions.len()));
    }
    violations.extend(count_effects(&store, &notes).await);
    violations.extend(traffic::examine(&store, folder).await);
    violations.extend(ledger::examine(&store, folder).await);
    violations
}

async fn examine_transaction(store: &EmbeddedStore, id: &str, told: Option<Rev>, is_repeated: bool) -> Option<String> {
    let (kv, namespace) = (store.kv(), victim::namespace());
    let keys = [victim::key("a", id), victim::key("b", id)];
    let revs = async || {
        let entries = kv.get_many(&namespace, &keys).await.expect("readable");
        entries.into_iter().map(|entry| entry.map(|entry| entry.rev)).collect::<Vec<_>>()
    };
    let found = revs().await;
    if found[0] != found[1] {
        return Some(format!("{id} is there by half: {found:?}"));
    }
    if told.is_some() && found[0] != told {
        return Some(format!("{id} was acknowledged at {told:?} and is at {:?}", found[0]));
    }
    if !is_repeated {
        return None;
    }
    let repeated = kv.commit(&namespace, victim::transaction(id)).await.expect("it can be repeated");
    let after = revs().await;
    let is_same =
        matches!(repeated, Committed::At(rev) if [Some(rev); 2] == after[..]) && found[0].is_none_or(|rev| after[0] == Some(rev));
    (!is_same).then(|| format!("{id} was at {found:?}, its repetition answered {repeated:?}, and it is at {after:?}"))
}

/// Counts what watchers see of each key: once is right.
async fn count_effects(store: &EmbeddedStore, notes: &Notes) -> Violations {
    let mut watch =
        store.kv().watch(&victim::namespace(), Bytes::new(), WatchFrom::After(Rev(0))).await.expect("it can be watched");
    let mut effects: BTreeMap<Bytes, u32> = BTreeMap::new();
    loop {
        match watch.next().await {
            Some(Change::Put(entry)) => *effects.entry(entry.key).or_default() += 1,
            Some(Change::CaughtUp(_)) => break,
            // So many writes that the first were compacted: what is left can't be counted.
            Some(Change::Compacted) => return Vec::new(),
            other => return vec![format!("{other:?} among the changes")],
        }
    }
    let keys = notes.kv.keys().flat_map(|id| [victim::key("a", id), victim::key("b", id)]);
    let wrong = keys.filter_map(|key| match effects.get(&key) {
        Some(1) => None,
        count => Some(format!("{key:?} had {count:?} effects")),
    });
    wrong.collect()
}

/// Starts a victim that kills itself, and examines what it leaves.
async fn crash(point: Point, passes: u32, skip: Option<Point>) -> Violations {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let orders = Orders { kill: Some((point, passes)), skip };
    let status = victim::start(dir.path(), orders).wait().expect("it ends");
    assert_eq!(status.signal(), Some(SIGKILL), "the victim passed {point:?} less than {passes} times: {status}");
    assert!(!Notes::read(dir.path()).kv.is_empty(), "the victim had begun");
    examine(dir.path(), skip).await
}

#[tokio::test]
async fn kill_at_each_failpoint_loses_and_doubles_nothing() {
    for point in Point::ALL {
        for passes in [2, 7, 19] {
            let violations = crash(point, passes, None).await;
            assert!(violations.is_empty(), "{point:?} after {passes}: {violations:#?}");
        }
    }
}

/// The control: without idempotency records a repetition is done twice, and the examination must notice.
#[tokio::test]
async fn without_idempotency_records_a_repetition_doubles() {
    let violations = crash(Point::ShardAfterCommit, 7, Some(Point::KvIdempotency)).await;
    assert!(violations.iter().any(|violation| violation.contains("effects")), "{violations:#?}");
}

/// The controls of queues: with either protection off, a repeated call is done twice.
#[tokio::test]
async fn without_records_of_calls_or_keys_messages_double() {
    for skipped in [Point::ReplyRecord, Point::QueueDedup] {
        let violations = crash(Point::ShardAfterCommit, 7, Some(skipped)).await;
        assert!(violations.iter().any(|violation| violation.contains("after a repetition")), "{skipped:?}: {violations:#?}");
    }
}

#[tokio::test]
async fn kill_at_any_moment_loses_and_doubles_nothing() {
    for seed in seeds(1) {
        let rng = SeededRng::new(seed);
        let dir = tempfile::tempdir().expect("a temporary folder");
        for round in 0..8 {
            let before = Notes::read(dir.path()).kv.len();
            let mut victim = victim::start(dir.path(), Orders { kill: None, skip: None });
            // How long a start takes is the machine's affair: every other victim is killed at work, the others perhaps before.
            if round % 2 == 0 {
                works(dir.path(), before).await;
            }
            tokio::time::sleep(Duration::from_millis(rng.below(250) as u64)).await;
            victim.kill().expect("it can be killed");
            victim.wait().expect("it ends");
            let violations = examine(dir.path(), None).await;
            assert!(violations.is_empty(), "{violations:#?}");
        }
        assert!(!Notes::read(dir.path()).kv.is_empty(), "some victim had begun");
    }
}

/// Waits until a victim writes more transactions than so many.
async fn works(folder: &Path, before: usize) {
    for _ in 0..12_000 {
        if Notes::read(folder).kv.len() > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the victim never began");
}
