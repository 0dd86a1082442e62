//! The process that the crash tests kill: it writes to every store at once, and notes what it was told.
//!
//! It is this test binary, started again for the one test in this file. Its notes are appended to a file: what a killed process wrote
//! stays with the kernel, so a note is never ahead of what the process knew, and at most one line behind.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use bytes::Bytes;
use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use system::SystemClock;
use types::{
    App, Timestamp,
    kv::{Committed, IdempotencyKey, Namespace, Transaction, Write},
    revision::{AppKey, RevisionNumber},
};

use crate::{ledger, traffic};

/// Tells the test below that it is the victim: `folder`, then a point and its passes, then a point to skip; empty where there is none.
const ORDERS: &str = "DAYFLY_TEST_VICTIM";
const WRITERS: u64 = 12;
/// Writes of each writer when nobody kills the process: enough to outlast any failpoint.
const WRITES_EACH: u64 = 400;

/// How a victim dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders {
    /// Killed here, when it was passed so often; otherwise by whoever started it.
    pub(crate) kill: Option<(Point, u32)>,
    /// Left out, for controls.
    pub(crate) skip: Option<Point>,
}

/// Starts a victim on a folder.
pub(crate) fn start(folder: &Path, orders: Orders) -> Child {
    let index = |point: Point| Point::ALL.iter().position(|other| *other == point).expect("ALL is all");
    let kill = orders.kill.map_or(String::new(), |(point, passes)| format!("{}:{passes}", index(point)));
    let skip = orders.skip.map_or(String::new(), |point| index(point).to_string());
    Command::new(std::env::current_exe().expect("a test knows its binary"))
        .args(["--exact", "victim::writes_to_every_store_at_once", "--nocapture"])
        .env(ORDERS, format!("{}\n{kill}\n{skip}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test binary starts again")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_to_every_store_at_once() {
    match std::env::var(ORDERS) {
        Ok(orders) => {
            let mut parts = orders.split('\n');
            let mut part = || parts.next().expect("three parts");
            let (folder, kill, skip) = (PathBuf::from(part()), part(), part());
            let point = |text: &str| Point::ALL[text.parse::<usize>().expect("an index")];
            let mut failpoints = Failpoints::default();
            if let Some((at, passes)) = kill.split_once(':') {
                failpoints = failpoints.with(point(at), Fault::Kill, passes.parse().expect("a count"));
            }
            if !skip.is_empty() {
                failpoints = failpoints.with(point(skip), Fault::Skip, 0);
            }
            work(&folder, failpoints, WRITES_EACH).await;
        }
        // Nobody is to be killed: then everything must be told and there.
        Err(_) => {
            let dir = tempfile::tempdir().expect("a temporary folder");
            work(dir.path(), Failpoints::default(), 5).await;
            let notes = Notes::read(dir.path());
            assert_eq!(notes.kv.len() as u64, WRITERS * 5);
            assert!(notes.kv.values().all(Option::is_some) && notes.blobs.values().all(|done| *done));
        }
    }
}

async fn work(folder: &Path, failpoints: Failpoints, writes_each: u64) {
    let store = EmbeddedStore::open_with(folder, Arc::new(SystemClock::new()), failpoints).expect("the folder opens");
    let store = Arc::new(store);
    let log = File::options().create(true).append(true).open(notes_of(folder)).expect("notes can be taken");
    let log = Arc::new(log);
    // A victim that follows another on the same folder uses other names.
    let generation = Notes::read(folder).generations;
    note(&log, "generation");
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (store, log) = (store.clone(), log.clone());
        tasks.spawn(async move {
            for i in 0..writes_each {
                let id = format!("{generation}-{writer}-{i}");
                match writer {
                    0 => write_blob(&store, &log, &id).await,
                    1 => write_catalog(&store, &log).await,
                    _ => {}
                }
                write_kv(&store, &log, &id).await;
            }
        });
    }
    tasks.spawn(ledger::run(store.clone(), folder.to_path_buf(), generation, writes_each));
    tasks.spawn(traffic::run(store.clone(), log.clone(), generation, writes_each));
    while let Some(ended) = tasks.join_next().await {
        ended.expect("it does not panic");
    }
}

pub(crate) fn namespace() -> Namespace {
    Namespace("crash/dev/test".into())
}

/// Two keys that must appear together.
pub(crate) fn transaction(id: &str) -> Transaction {
    let put = |side| Write::Put { key: key(side, id), value: Bytes::from(id.to_owned()), expires: None };
    Transaction {
        conditions: vec![],
        writes: vec![put("a"), put("b")],
        idempotency: Some(IdempotencyKey(id.into())),
        cause: None,
    }
}

pub(crate) fn key(side: &str, id: &str) -> Bytes {
    Bytes::from(format!("{side}/{id}"))
}

pub(crate) fn blob(id: &str) -> Bytes {
    Bytes::from(id.repeat(3_000))
}

pub(crate) fn app_key() -> AppKey {
    AppKey { app: "crash".parse().expect("a name"), env: "dev".parse().expect("a name") }
}

async fn write_kv(store: &EmbeddedStore, log: &File, id: &str) {
    note(log, &format!("kv {id}"));
    match store.kv().commit(&namespace(), transaction(id)).await {
        Ok(Committed::At(rev)) => note(log, &format!("kv {id} {}", rev.0)),
        other => panic!("{other:?}"),
    }
}

async fn write_blob(store: &EmbeddedStore, log: &File, id: &str) {
    note(log, &format!("blob {id}"));
    store.blob().put(blob(id)).await.expect("there is room");
    note(log, &format!("blob {id} done"));
}

async fn write_catalog(store: &EmbeddedStore, log: &File) {
    let (key, catalog) = (app_key(), store.catalog());
    let latest = catalog.revisions(&key).await.expect("readable").first().map(|newest| newest.number);
    let app = App::empty(key.app.clone(), key.env.clone());
    let added = catalog
        .add(&key, latest, app, BTreeMap::new(), types::revision::Parts::default(), Timestamp::from_unix_ms(1))
        .await
        .expect("nobody else deploys");
    note(log, &format!("revision {}", added.number));
}

pub(crate) fn note(mut log: &File, line: &str) {
    log.write_all(format!("{line}\n").as_bytes()).expect("notes can be taken");
}

pub(crate) fn notes_of(folder: &Path) -> PathBuf {
    folder.join("notes")
}

/// What the victims noted.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) generations: usize,
    /// Transactions with the revision, if the victim was told it.
    pub(crate) kv: BTreeMap<String, Option<u64>>,
    /// Blobs, and whether the victim was told that they are stored.
    pub(crate) blobs: BTreeMap<String, bool>,
    /// The newest revision that the victim was told.
    pub(crate) revision: Option<RevisionNumber>,
}

impl Notes {
    pub(crate) fn read(folder: &Path) -> Self {
        let mut notes = Self::default();
        let text = fs::read_to_string(notes_of(folder)).unwrap_or_default();
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["generation"] => notes.generations += 1,
                ["kv", id] => drop(notes.kv.insert(id.into(), None)),
                ["kv", id, rev] => drop(notes.kv.insert(id.into(), Some(rev.parse().expect("a revision")))),
                ["blob", id] => drop(notes.blobs.insert(id.into(), false)),
                ["blob", id, "done"] => drop(notes.blobs.insert(id.into(), true)),
                ["revision", number] => notes.revision = Some(RevisionNumber(number.parse().expect("a number"))),
                // What became of messages.
                ["q", ..] => {}
                _ => panic!("{line:?} is no note"),
            }
        }
        notes
    }
}
