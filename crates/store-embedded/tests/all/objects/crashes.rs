//! kill -9 at every step of a write and at any moment: what was acknowledged is there whole with its event, what was not is whole or
//! absent, and no bytes stay behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use ports::{feeds::Feed, feeds::FeedSource, queue::QueueName};
use store_embedded::{Fault, Point};
use system::SystemClock;
use testkit::{SeededRng, rng::seeds};
use types::{event::StoreChange, object::ObjectQuery, trigger::ChangeKind};

use super::*;

const ORDERS: &str = "DAYFLY_TEST_OBJECT_VICTIM";
const SIGKILL: i32 = 9;
const WRITERS: usize = 4;
const WRITES_EACH: usize = 60;
const POINTS: [Point; 5] =
    [Point::ObjectBeforeSync, Point::ObjectAfterSync, Point::ShardBeforeCommit, Point::ShardAfterCommit, Point::ShardBeforeReply];

/// Starts this binary again, for the test below.
fn start(dir: &Path, kill: Option<(usize, u32)>) -> Child {
    let kill = kill.map_or(String::new(), |(point, passes)| format!("{point}:{passes}"));
    Command::new(std::env::current_exe().expect("a test knows its binary"))
        .args(["--exact", "objects::crashes::writes_objects_of_all_sizes", "--nocapture"])
        .env(ORDERS, format!("{}\n{kill}", dir.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test binary starts again")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_objects_of_all_sizes() {
    let Ok(orders) = std::env::var(ORDERS) else {
        let dir = tempfile::tempdir().expect("a temporary folder");
        work(dir.path(), Failpoints::default(), 3).await;
        assert_eq!(examine(dir.path()).await, Vec::<String>::new());
        assert!(read_notes(dir.path()).values().all(|done| *done));
        return;
    };
    let (dir, kill) = orders.split_once('\n').expect("two parts");
    let failpoints = kill.split_once(':').map_or_else(Failpoints::default, |(point, passes)| {
        let point = POINTS[point.parse::<usize>().expect("an index")];
        Failpoints::default().with(point, Fault::Kill, passes.parse().expect("a count"))
    });
    work(Path::new(dir), failpoints, WRITES_EACH).await;
}

fn note(mut log: &File, line: &str) {
    log.write_all(format!("{line}\n").as_bytes()).expect("notes can be taken");
}

/// Objects that were begun, and whether the victim was told that they are written.
fn read_notes(dir: &Path) -> BTreeMap<String, bool> {
    let text = fs::read_to_string(dir.join("notes")).unwrap_or_default();
    let mut notes = BTreeMap::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["begun", key] => drop(notes.insert(key.to_owned(), false)),
            ["done", key] => drop(notes.insert(key.to_owned(), true)),
            _ => panic!("{line:?} is no note"),
        }
    }
    notes
}

fn queue() -> QueueName {
    QueueName("shop/dev/~victim".into())
}

/// An object's bytes follow from its key: `run-writer-number`.
fn content(key: &str) -> Bytes {
    let number: usize = key.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a key of ours");
    pattern([1_000, 100_000, 700_000][number % 3], number as u8)
}

async fn work(dir: &Path, failpoints: Failpoints, writes_each: usize) {
    let run = read_notes(dir).len();
    let log = Arc::new(File::options().create(true).append(true).open(dir.join("notes")).expect("notes can be taken"));
    let store = EmbeddedStore::open_with(dir, Arc::new(SystemClock::new()), failpoints).expect("the folder opens");
    store.objects().create_bucket(&bucket()).await.expect("it can be made");
    let feed = Feed { source: FeedSource::Bucket(bucket()), change: ChangeKind::Written, matching: None, queue: queue() };
    store.feeds().install(vec![feed]).await.expect("it can be installed");
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (objects, log) = (store.objects(), log.clone());
        tasks.spawn(async move {
            for i in 0..writes_each {
                let key = format!("{run}-{writer}-{i}");
                note(&log, &format!("begun {key}"));
                if i % 5 == 4 {
                    write_in_parts(&objects, &key).await
                } else {
                    drop(put(&objects, &key, content(&key)).await.expect("there is room"))
                }
                note(&log, &format!("done {key}"));
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("it does not panic");
    }
}

async fn write_in_parts(objects: &Arc<dyn Objects>, key: &str) {
    let upload = objects.begin_upload(&bucket(), key, Default::default()).await.expect("it begins");
    let mut named = Vec::new();
    for (number, part) in (1..).zip(content(key).chunks(300_000)) {
        let part = objects.put_part(&bucket(), &upload.id, number, Body::from(Bytes::copy_from_slice(part)), vec![]).await;
        named.push((number, part.expect("there is room").etag));
    }
    objects.complete_upload(&bucket(), &upload.id, &named, PutOptions::default()).await.expect("all are there");
}

/// What a crash must not do. Empty is good.
async fn examine(dir: &Path) -> Vec<String> {
    let store = EmbeddedStore::open(dir, Arc::new(SystemClock::new())).expect("a killed process leaves no lock");
    let objects = store.objects();
    let (mut violations, mut present, mut named) = (Vec::new(), BTreeSet::new(), 0);
    for (key, was_told) in read_notes(dir) {
        match get(&objects, &key).await {
            Ok(Some(Ok(bytes))) if bytes == content(&key) => {
                let info = objects.head(&bucket(), &key, None).await.expect("readable").expect("it is there");
                named += if info.parts.is_empty() { usize::from(info.bytes > 64 * 1024) } else { info.parts.len() };
                present.insert(key);
            }
            Ok(None) if !was_told => {}
            Ok(None) => violations.push(format!("{key} was acknowledged and is gone")),
            other => violations.push(format!("{key} (told: {was_told}) is not whole: {:?}", other.map(|_| ()))),
        }
    }
    for upload in objects.uploads(&bucket(), "", None, 1_000).await.unwrap_or_default() {
        objects.abort_upload(&bucket(), &upload.id).await.expect("it is there");
    }
    let listed = objects.list(&bucket(), ObjectQuery { limit: 1_000, ..ObjectQuery::default() }).await.unwrap_or_default();
    if listed.next.is_none() && listed.objects.iter().map(|info| info.key.clone()).collect::<BTreeSet<_>>() != present {
        violations.push("the listing is not what is there".into());
    }
    objects.sweep().await.expect("it can be swept");
    for _ in 0..400 {
        if files(dir).len() == named {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if files(dir).len() != named {
        violations.push(format!("{} files for {named} that are named", files(dir).len()));
    }
    let told = told(&store).await;
    if told != present {
        violations.push(format!("events and objects differ: {:?}", told.symmetric_difference(&present).collect::<Vec<_>>()));
    }
    violations
}

/// The keys of all events.
async fn told(store: &EmbeddedStore) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    loop {
        let claimed = store.queue().claim(&queue(), 500, Duration::ZERO, Duration::ZERO).await.expect("readable");
        let before = told.len();
        for delivery in claimed {
            match postcard::from_bytes(&delivery.message.body).expect("a change") {
                StoreChange::Object { key, .. } => drop(told.insert(key)),
                other => panic!("{other:?}"),
            }
        }
        if told.len() == before {
            return told;
        }
    }
}

#[tokio::test]
async fn kill_at_each_step_loses_and_halves_nothing() {
    for (index, point) in POINTS.iter().enumerate() {
        for passes in [4, 23] {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let status = start(dir.path(), Some((index, passes))).wait().expect("it ends");
            assert_eq!(status.signal(), Some(SIGKILL), "the victim passed {point:?} less than {passes} times: {status}");
            let violations = examine(dir.path()).await;
            assert!(violations.is_empty(), "{point:?} after {passes}: {violations:#?}");
        }
    }
}

#[tokio::test]
async fn kill_at_any_moment_loses_and_halves_no_object() {
    for seed in seeds(1) {
        let rng = SeededRng::new(seed);
        for _ in 0..5 {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let mut victim = start(dir.path(), None);
            tokio::time::sleep(Duration::from_millis(20 + rng.below(300) as u64)).await;
            victim.kill().expect("it can be killed");
            victim.wait().expect("it ends");
            let violations = examine(dir.path()).await;
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}

/// The control: what a crash could do is noticed.
#[tokio::test]
async fn the_examination_notices_lost_and_half_objects() {
    for harm in 0..3 {
        let dir = tempfile::tempdir().expect("a temporary folder");
        work(dir.path(), Failpoints::default(), 3).await;
        let file = files(dir.path()).pop().expect("some are large");
        match harm {
            0 => fs::remove_file(file).expect("removable"),
            1 => File::options().write(true).open(&file).and_then(|file| file.set_len(1_000)).expect("writable"),
            _ => {
                let log = File::options().append(true).open(dir.path().join("notes")).expect("it is there");
                note(&log, "done 0-9-9");
            }
        }
        assert!(!examine(dir.path()).await.is_empty(), "harm {harm} went unnoticed");
    }
}
