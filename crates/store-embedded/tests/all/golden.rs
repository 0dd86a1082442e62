//! Data folders outlive the version that wrote them: a folder that an earlier version wrote, kept in `tests/golden`, reads as what was
//! put into it.
//!
//! When a stored form changes, the old folder stays and a new one comes beside it. `UPDATE_EXPECT=1` writes a folder that is missing,
//! and never one that is there.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::Arc};

use bytes::Bytes;
use ports::{Clock as _, Telemetry, telemetry::SealedJournal};
use store_embedded::{
    EmbeddedStore,
    telemetry::{RetentionDays, TelemetryStore},
};
use testkit::{
    TestClock,
    suite::telemetry::{
        everything,
        records::{Chance, record},
    },
};
use types::{
    App, Digest, Elapsed,
    kv::{Namespace, Transaction, Write},
    revision::{AppKey, RevisionNumber, Share},
};

const RECORDS: u64 = 30;

#[tokio::test]
async fn a_folder_of_version_1_reads_as_it_was_written() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/folder-1");
    if std::env::var_os("UPDATE_EXPECT").is_some() && !golden.exists() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        write(dir.path()).await;
        fs::remove_file(dir.path().join("lock")).expect("it is there");
        copy(dir.path(), &golden);
        fs::write(golden.with_extension("txt"), read(dir.path()).await).expect("writable");
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    // Opened as a copy: a store changes its files also when it only reads.
    copy(&golden, dir.path());
    let expected = fs::read_to_string(golden.with_extension("txt")).expect("the golden text is kept beside the tests");
    let read = read(dir.path()).await;
    let line = read.lines().zip(expected.lines()).position(|(read, expected)| read != expected);
    assert!(read == expected, "the first line that differs has the index {line:?}:\n{read}");
}

fn namespace() -> Namespace {
    Namespace("shop/prod/sessions".into())
}

fn key() -> AppKey {
    AppKey { app: "shop".parse().expect("a name"), env: "prod".parse().expect("a name") }
}

async fn write(dir: &Path) {
    let clock = Arc::new(TestClock::new());
    let store = EmbeddedStore::open(dir, clock.clone()).expect("the folder opens");
    let put = |key: &'static str, expires| Write::Put { key: Bytes::from(key), value: Bytes::from_static(&[0, 1, 255]), expires };
    let later = clock.now().plus(Elapsed::from_ns(1_000_000_000));
    let writes = vec![put("ada", None), put("brief", Some(later)), put("gone", None), Write::Delete { key: Bytes::from("gone") }];
    store.kv().commit(&namespace(), Transaction { writes, ..Transaction::default() }).await.expect("the commit succeeds");
    let AppKey { app, env } = key();
    let model = App { since: Some("2026-01-01".into()), ..App::empty(app, env) };
    let artifacts = BTreeMap::from([("api".parse().expect("a name"), Digest::from_bytes([1; 32]))]);
    let catalog = store.catalog();
    let revision = catalog
        .add(&key(), None, model, artifacts, types::revision::Parts::default(), clock.now())
        .await
        .expect("it is the first")
        .number;
    catalog.serve(&key(), vec![Share { revision, weight: 1 }]).await.expect("it exists");
    store.blob().put(Bytes::from("a blob")).await.expect("there is room");

    let telemetry = open_telemetry(dir, &clock);
    let mut chance = Chance::new(1);
    for i in 0..RECORDS {
        let record = record(&mut chance, clock.now().plus(Elapsed::from_ns(i * 1_000_000)));
        let journal = record.journal_kept.then(|| SealedJournal { id: record.id, sealed: Bytes::from("sealed") });
        telemetry.record(Arc::new(record), journal);
    }
    telemetry.flush().await.expect("there is room");
}

fn open_telemetry(dir: &Path, clock: &Arc<TestClock>) -> Arc<TelemetryStore> {
    TelemetryStore::open(dir.join("telemetry"), clock.clone(), RetentionDays(30)).expect("the folder opens")
}

/// All that the folder holds, as text.
async fn read(dir: &Path) -> String {
    let clock = Arc::new(TestClock::new());
    let mut text = String::new();
    let store = EmbeddedStore::open(dir, clock.clone()).expect("the folder opens");
    let entries = store.kv().list(&namespace(), &Bytes::new(), None, 10).await.expect("readable");
    writeln!(text, "{entries:#?}").expect("a text takes all");
    writeln!(text, "{:#?}", store.catalog().app(&key()).await.expect("readable")).expect("a text takes all");
    writeln!(text, "{:#?}", store.catalog().revision(&key(), RevisionNumber(1)).await.expect("readable"))
        .expect("a text takes all");
    let blob = Digest::from_bytes(*blake3::hash(b"a blob").as_bytes());
    writeln!(text, "{:?}", store.blob().get(&blob).await.expect("readable")).expect("a text takes all");
    let telemetry = open_telemetry(dir, &clock);
    for record in telemetry.invocations(everything()).await.expect("readable") {
        let journal = telemetry.journal(record.id).await.expect("readable");
        writeln!(text, "{record:?} {journal:?}").expect("a text takes all");
    }
    writeln!(text, "{:#?}", telemetry.usage(everything()).await.expect("readable")).expect("a text takes all");
    text
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).expect("readable");
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("writable");
        }
    }
}
