//! The conformance suite on real files, and what it can't ask of every store: damage, a full disk, too much at once, a killed process.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use ports::{BoxFuture, Clock, Telemetry};
use rusqlite::{Connection, params};
use testkit::{
    model::ModelTelemetry,
    suite::telemetry::{
        self as suite, BEGINNING, RETENTION_DAYS, Subject, everything,
        records::{Chance, record},
    },
};
use types::{Elapsed, Timestamp, record::InvocationRecord};

use super::{
    day::DayNumber,
    queue::Bounds,
    store::{Options, RetentionDays, TelemetryStore},
};

/// A clock that stands still: nothing here may depend on its going on.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        BEGINNING
    }
    fn monotonic_ns(&self) -> u64 {
        0
    }
    fn sleep_until(&self, _: u64) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
}

fn open(dir: &Path, options: Options) -> Arc<TelemetryStore> {
    TelemetryStore::open_with(dir.into(), Arc::new(Stopped), RetentionDays(RETENTION_DAYS), options).expect("the store opens")
}

struct OnDisk {
    dir: tempfile::TempDir,
    store: Option<Arc<TelemetryStore>>,
}

impl OnDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Some(open(dir.path(), Options::default()));
        Self { dir, store }
    }
}

#[async_trait]
impl Subject for OnDisk {
    fn store(&self) -> Arc<dyn Telemetry> {
        self.store.clone().expect("it is open")
    }
    async fn reopen(&mut self) {
        self.store = None;
        self.store = Some(open(self.dir.path(), Options::default()));
    }
}

#[tokio::test]
async fn the_store_on_disk_passes_the_suite() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    for seed in seed..seed + 4 {
        suite::check_all(seed, async || OnDisk::new()).await;
    }
}

fn some_records(seed: u64, count: u64) -> Vec<Arc<InvocationRecord>> {
    let mut chance = Chance::new(seed);
    let mut make = |i: u64| Arc::new(record(&mut chance, BEGINNING.plus(Elapsed::from_ns(i * 10_000_000))));
    (0..count).map(&mut make).collect()
}

async fn filled(dir: &Path, options: Options, records: &[Arc<InvocationRecord>]) -> Arc<TelemetryStore> {
    let store = open(dir, options);
    records.iter().for_each(|record| store.record(Arc::clone(record), None));
    store.flush().await.expect("a flush");
    store
}

async fn model_of(records: &[Arc<InvocationRecord>]) -> Arc<ModelTelemetry> {
    let model = ModelTelemetry::new(RETENTION_DAYS);
    records.iter().for_each(|record| model.record(Arc::clone(record), None));
    model
}

fn db(dir: &Path) -> Connection {
    Connection::open(DayNumber::of(BEGINNING).path(dir)).expect("the file opens")
}

fn count(dir: &Path, what: &str) -> i64 {
    db(dir).query_row(&format!("SELECT count(*) FROM block WHERE {what}"), [], |row| row.get(0)).expect("a count")
}

#[tokio::test]
async fn sealed_blocks_answer_as_tails_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let records = some_records(5, 16_000);
    let store = open(dir.path(), Options::default());
    for part in records.chunks(1_500) {
        part.iter().for_each(|record| store.record(Arc::clone(record), None));
        store.flush().await.expect("a flush");
    }
    assert!(count(dir.path(), "tail = 0") > 5 && count(dir.path(), "tail = 1") > 0, "some sealed and some not");
    let model = model_of(&records).await;
    suite::same_answers(&*store, &*model, everything(), "sealed").await;
    let slice = ports::telemetry::Filter { from: records[3_000].at, until: records[3_100].at, ..everything() };
    suite::same_answers(&*store, &*model, slice, "a slice of time").await;
    let few = ports::telemetry::Filter { limit: 7, ..everything() };
    suite::same_answers(&*store, &*model, few, "the newest few").await;
    for record in records.iter().step_by(997) {
        assert_eq!(store.invocation(record.id).await.expect("a search").as_ref(), Some(&**record));
    }
}

#[tokio::test]
async fn large_batches_are_sealed_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let records = some_records(18, 8_000);
    let store = filled(dir.path(), Options::default(), &records).await;
    assert!(count(dir.path(), "tail = 0") > 0, "functions that fill a block have their own");
    suite::same_answers(&*store, &*model_of(&records).await, everything(), "sealed at once").await;
}

#[tokio::test]
async fn many_small_batches_are_sealed_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let records = some_records(6, 300);
    let store = open(dir.path(), Options::default());
    for record in &records {
        store.record(Arc::clone(record), None);
        store.flush().await.expect("a flush");
    }
    assert!(count(dir.path(), "tail = 1") < 256);
    suite::same_answers(&*store, &*model_of(&records).await, everything(), "small batches").await;
}

/// Flips one bit in the middle of each block's body, in turn; gives how many answers were wrong and how many damages were reported.
async fn answers_over_damage(verify: bool) -> (usize, u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let records = some_records(7, 400);
    drop(filled(dir.path(), Options::default(), &records).await);
    let body: Vec<u8> = db(dir.path()).query_row("SELECT body FROM block", [], |row| row.get(0)).expect("one block");
    let (mut wrong, mut damaged) = (0, 0);
    for at in (20..body.len()).step_by(body.len() / 60) {
        let mut bad = body.clone();
        bad[at] ^= 0x10;
        db(dir.path()).execute("UPDATE block SET body = ?", params![bad]).expect("the block is overwritten");
        let options = Options { verify, ..Options::default() };
        let store = open(dir.path(), options);
        store.flush().await.expect("a flush");
        let found = store.invocations(everything()).await.expect("damage is no error");
        wrong += usize::from(found.iter().any(|record| records.iter().all(|known| **known != *record)));
        damaged += store.health().damaged;
        drop(store);
    }
    (wrong, damaged)
}

#[tokio::test]
async fn a_damaged_block_is_reported_and_skipped_and_never_believed() {
    let (wrong, damaged) = answers_over_damage(true).await;
    assert_eq!(wrong, 0, "no wrong record is given out");
    assert!(damaged >= 60, "every damage is reported, {damaged} were");
    // The control: without checksums, damage is believed.
    let (wrong, _) = answers_over_damage(false).await;
    assert!(wrong > 0, "without checksums there must be wrong answers");
}

#[tokio::test]
async fn damage_anywhere_in_the_file_gives_no_wrong_answer() {
    let records = some_records(8, 3_000);
    let dir = tempfile::tempdir().expect("a folder");
    drop(filled(dir.path(), Options::default(), &records).await);
    let path = DayNumber::of(BEGINNING).path(dir.path());
    let whole = std::fs::read(&path).expect("the file");
    let (mut chance, mut noticed) = (Chance::new(9), 0);
    for _ in 0..40 {
        let mut bad = whole.clone();
        for _ in 0..8 {
            let at = usize::try_from(chance.below(bad.len() as u64)).expect("it fits");
            bad[at] ^= 1 << chance.below(8);
        }
        std::fs::write(&path, bad).expect("the file is overwritten");
        let store = open(dir.path(), Options::default());
        store.record(Arc::clone(&records[0]), None);
        let flushed = store.flush().await;
        if let Ok(found) = store.invocations(everything()).await {
            assert!(found.iter().all(|record| records.iter().any(|known| known.id == record.id && **known == *record)));
            noticed += usize::from(found.len() < records.len() && (store.health().damaged > 0 || flushed.is_err()));
        } else {
            noticed += 1;
        }
        drop(store);
        for entry in std::fs::read_dir(dir.path()).expect("the folder").flatten() {
            std::fs::remove_file(entry.path()).expect("the file goes");
        }
    }
    assert!(noticed > 20, "most of such damage is noticed, {noticed} of 40 were");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_set_aside() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(DayNumber::of(BEGINNING).path(dir.path()), vec![0x55; 20_000]).expect("the file");
    let records = some_records(10, 10);
    let store = filled(dir.path(), Options::default(), &records).await;
    assert_eq!(store.invocations(everything()).await.expect("a search").len(), 10);
    assert_eq!(store.health().damaged, 1);
    let aside = std::fs::read_dir(dir.path()).expect("the folder").flatten();
    assert_eq!(aside.filter(|entry| entry.file_name().to_string_lossy().contains(".damaged-")).count(), 1);
}

#[tokio::test]
async fn too_much_at_once_is_dropped_and_counted_and_the_rest_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let records = some_records(11, 3_000);
    let small = Options { bounds: Bounds { records: 1_000, bytes: u64::MAX }, ..Options::default() };
    let store = open(dir.path(), small);
    records.iter().for_each(|record| store.record(Arc::clone(record), None));
    store.flush().await.expect("a flush");
    let health = store.health();
    assert!(health.dropped > 0, "3,000 at once don't fit in 1,000");
    assert_eq!(health.written + health.dropped, 3_000);
    assert_eq!(store.invocations(everything()).await.expect("a search").len() as u64, health.written);
    // The control: with room for all, nothing is dropped.
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(filled(dir.path(), Options::default(), &records).await.health().dropped, 0);
}

#[tokio::test]
async fn large_records_are_bounded_by_their_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let bounds = Bounds { records: 1_000, bytes: 3_000 };
    let store = filled(dir.path(), Options { bounds, ..Options::default() }, &some_records(12, 1)).await;
    let sealed = vec![0; 4_000].into();
    let large = some_records(13, 1).remove(0);
    let journal = ports::telemetry::SealedJournal { id: large.id, sealed };
    store.record(large, Some(journal));
    store.flush().await.expect("a flush");
    assert_eq!((store.health().written, store.health().dropped), (1, 1));
}

#[tokio::test]
async fn a_full_disk_loses_records_by_count_and_the_store_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut options = Options::default();
    options.day.pages_max = Some(60);
    let store = open(dir.path(), options);
    let records = some_records(14, 12_000);
    let mut full = 0;
    for part in records.chunks(500) {
        part.iter().for_each(|record| store.record(Arc::clone(record), None));
        full += usize::from(matches!(store.flush().await, Err(ports::StoreError::Full)));
    }
    let health = store.health();
    assert!(full > 0 && health.dropped > 0 && health.written > 0, "{full} {health:?}");
    assert_eq!(health.written + health.dropped, 12_000);
    assert_eq!(store.invocations(everything()).await.expect("a search").len() as u64, health.written);
    let usage = store.usage(everything()).await.expect("a search");
    assert_eq!(usage.iter().map(|row| row.usage.requests).sum::<u64>(), health.written, "what is lost is not billed");
}

#[tokio::test]
async fn who_begins_to_follow_is_told_of_the_very_next_record() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), Options::default());
    for record in some_records(17, 5) {
        // Afterwards the writer waits, and nobody followed when it began to.
        store.flush().await.expect("a flush");
        let mut following = store.follow();
        store.record(Arc::clone(&record), None);
        let told = tokio::time::timeout(Duration::from_secs(60), futures_util::StreamExt::next(&mut following)).await;
        assert_eq!(told.expect("it is told").expect("it goes on").id, record.id);
    }
}

#[tokio::test]
async fn records_are_durable_soon_without_a_flush() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), Options::default());
    store.record(some_records(15, 1).remove(0), None);
    for _ in 0..600 {
        if store.health().written == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing was written in half a minute");
}

#[tokio::test]
async fn what_was_flushed_survives_a_copy_taken_while_the_store_runs() {
    // A copy of the files of a running store is what a killed process leaves behind.
    let (dir, after) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let records = some_records(16, 7_000);
    let store = filled(dir.path(), Options::default(), &records[..4_000]).await;
    records[4_000..].iter().for_each(|record| store.record(Arc::clone(record), None));
    store.flush().await.expect("a flush");
    for entry in std::fs::read_dir(dir.path()).expect("the folder").flatten() {
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), after.path().join(entry.file_name())).expect("a copy");
        }
    }
    let risen = open(after.path(), Options::default());
    suite::same_answers(&*risen, &*model_of(&records).await, everything(), "after the crash").await;
    // What is recorded now joins what was there.
    let more = some_records(17, 3_000);
    more.iter().for_each(|record| risen.record(Arc::clone(record), None));
    risen.flush().await.expect("a flush");
    let all = [records, more].concat();
    suite::same_answers(&*risen, &*model_of(&all).await, everything(), "after the crash and more").await;
}

/// Tells the test below that it is to be killed, and in which folder it works.
const VICTIM: &str = "DAYFLY_TEST_TELEMETRY_VICTIM";
const BATCH: u64 = 700;

/// Records batch after batch and notes each one that is durable. With nobody to kill it, it stops after a few.
#[tokio::test]
async fn records_batch_after_batch() {
    let (dir, batches) = match std::env::var_os(VICTIM) {
        Some(dir) => (dir.into(), u64::MAX),
        None => (tempfile::tempdir().expect("a folder").keep(), 3),
    };
    let store = open(&dir.join("telemetry"), Options::default());
    let mut notes = std::fs::File::options().create(true).append(true).open(dir.join("notes")).expect("notes can be taken");
    for batch in 0..batches {
        some_records(batch, BATCH).into_iter().for_each(|record| store.record(record, None));
        store.flush().await.expect("a flush");
        std::io::Write::write_all(&mut notes, b".").expect("a note");
    }
    assert_eq!(store.health().written, batches * BATCH);
    drop(store);
    std::fs::remove_dir_all(dir).expect("the folder goes");
}

#[tokio::test]
async fn what_was_flushed_survives_kill_9_and_usage_counts_exactly_what_is_there() {
    for wanted in [1, 6, 25] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut victim = std::process::Command::new(std::env::current_exe().expect("a test knows its binary"))
            .args(["--exact", "telemetry::tests::records_batch_after_batch", "--nocapture"])
            .env(VICTIM, dir.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the test binary starts again");
        let noted = || std::fs::metadata(dir.path().join("notes")).map_or(0, |notes| notes.len());
        for _ in 0..3_000 {
            if noted() >= wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        victim.kill().expect("it is killed");
        victim.wait().expect("it is gone");
        let batches = noted();
        assert!(batches >= wanted, "the victim came to {batches} batches");
        let risen = open(&dir.path().join("telemetry"), Options::default());
        let found = risen.invocations(everything()).await.expect("a search");
        for record in (0..batches).flat_map(|batch| some_records(batch, BATCH)) {
            assert!(
                found.binary_search_by(|other| (record.at, record.id).cmp(&(other.at, other.id))).is_ok(),
                "a flushed record is lost"
            );
        }
        let usage = risen.usage(everything()).await.expect("a search");
        assert_eq!(usage.iter().map(|row| row.usage.requests).sum::<u64>(), found.len() as u64);
        assert_eq!(risen.health().damaged, 0);
    }
}
