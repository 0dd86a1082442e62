//! Queues, leases and feeds across restarts, full disks and failures.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{
    Queue, StoreError,
    feeds::{Feed, FeedSource},
    log::{Epoch, GroupName, Record, Sequence, StreamName},
    queue::{Delivery, Enqueued, Message, QueueName, Receipt, Settled},
    unit::{Effects, RefusalKind, UnitOutcome},
};
use store_embedded::{EmbeddedStore, Failpoints, Fault, Point};
use testkit::TestClock;
use types::{
    kv::{IdempotencyKey, Namespace, Transaction, Write},
    trigger::ChangeKind,
};

const LEASE: Duration = Duration::from_secs(30);
/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::ZERO;

fn open(dir: &Path, clock: &Arc<TestClock>) -> EmbeddedStore {
    EmbeddedStore::open(dir, clock.clone()).expect("the folder opens")
}

fn name(name: &str) -> QueueName {
    QueueName(format!("shop/dev/{name}"))
}

fn body(text: &str) -> Message {
    Message { body: Bytes::copy_from_slice(text.as_bytes()), ..Message::default() }
}

fn grouped(text: &str) -> Message {
    Message { group: Some(Bytes::from("g")), ..body(text) }
}

async fn send(queue: &Arc<dyn Queue>, messages: Vec<Message>) -> Vec<Enqueued> {
    queue.enqueue(&name("q"), messages, None).await.expect("there is room")
}

async fn take(queue: &Arc<dyn Queue>, max: usize) -> Vec<Delivery> {
    queue.claim(&name("q"), max, LEASE, NOW).await.expect("claimable")
}

fn texts(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| String::from_utf8_lossy(&delivery.message.body).into_owned()).collect()
}

fn receipts(deliveries: &[Delivery]) -> Vec<Receipt> {
    deliveries.iter().map(|delivery| delivery.receipt).collect()
}

#[tokio::test]
async fn a_restart_changes_nothing_for_consumers() {
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let store = open(dir.path(), &clock);
    let queue = store.queue();
    let delayed = Message { delay: Duration::from_secs(60), ..body("delayed") };
    send(&queue, vec![body("held"), body("late"), body("back"), grouped("g1"), grouped("g2"), delayed, body("fresh")]).await;
    let held = take(&queue, 4).await;
    assert_eq!(texts(&held), ["held", "late", "back", "g1"]);
    queue.extend(&name("q"), &receipts(&held[1..2]), Duration::from_secs(5)).await.expect("there is room");
    queue.nack(&name("q"), &receipts(&held[2..3]), Duration::from_secs(10)).await.expect("there is room");
    drop((queue, store));

    clock.advance(Duration::from_secs(5));
    let store = open(dir.path(), &clock);
    let queue = store.queue();
    let stats = queue.stats(&name("q")).await.expect("readable");
    assert_eq!((stats.ready, stats.delayed, stats.claimed), (3, 2, 2), "late, fresh and g2; back and delayed; held and g1");
    assert_eq!(queue.ack(&name("q"), &receipts(&held[..2])).await.expect("there is room"), [Settled::Done; 2]);
    assert_eq!(texts(&take(&queue, 10).await), ["fresh"], "the group is still in somebody's hands");
    clock.advance(Duration::from_secs(5));
    let back = take(&queue, 10).await;
    assert_eq!((texts(&back), back[0].receipt.attempt), (vec!["back".to_owned()], 2), "the count of deliveries goes on");
    assert_eq!(queue.ack(&name("q"), &receipts(&held[3..])).await.expect("there is room"), [Settled::Done]);
    assert_eq!(texts(&take(&queue, 10).await), ["g2"]);
    clock.advance(Duration::from_secs(50));
    assert!(texts(&take(&queue, 10).await).contains(&"delayed".to_owned()));
}

#[tokio::test]
async fn numbers_are_never_given_twice() {
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let mut last = None;
    for _ in 0..3 {
        let queue = open(dir.path(), &clock).queue();
        let Enqueued::New(id) = send(&queue, vec![body("a")]).await[0] else { panic!("it is new") };
        assert!(last < Some(id), "{id} after {last:?}");
        last = Some(id);
        let held = take(&queue, 1).await;
        queue.ack(&name("q"), &receipts(&held)).await.expect("there is room");
    }
}

#[tokio::test]
async fn dead_letters_and_feeds_outlive_the_process() {
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let store = open(dir.path(), &clock);
    let queue = store.queue();
    send(&queue, vec![body("a")]).await;
    let held = take(&queue, 1).await;
    queue.bury(&name("q"), &receipts(&held), &name("dead"), "why").await.expect("there is room");
    let namespace = Namespace("shop/dev/kv".into());
    let source = FeedSource::Kv(namespace.clone());
    let feed = Feed { source, change: ChangeKind::Any, matching: Some("*.txt".into()), queue: name("~f") };
    store.feeds().install(vec![feed]).await.expect("there is room");
    let epoch = store.lease().acquire("leader", LEASE).await.expect("lendable").expect("nobody has it");
    drop((queue, store));

    let store = open(dir.path(), &clock);
    let queue = store.queue();
    let letters = queue.peek(&name("dead"), None, 10).await.expect("readable");
    assert_eq!(letters[0].dead.as_ref().map(|letter| (&letter.from, letter.reason.as_str())), Some((&name("q"), "why")));
    assert_eq!(queue.redrive(&name("dead"), 10).await.expect("there is room"), 1);
    assert_eq!(take(&queue, 1).await[0].receipt.attempt, 1);
    let put = |key: &'static str| Write::Put { key: Bytes::from(key), value: Bytes::new(), expires: None };
    let transaction = Transaction { writes: vec![put("a.txt"), put("b.png")], ..Transaction::default() };
    store.kv().commit(&namespace, transaction).await.expect("there is room");
    assert_eq!(queue.stats(&name("~f")).await.expect("readable").ready, 1);
    // The holder went with the process; whoever is next is told apart from it.
    let next = store.lease().acquire("leader", LEASE).await.expect("lendable").expect("its holder is gone");
    assert!(next > epoch);
    let fenced = store.lease().renew("leader", epoch, LEASE).await;
    assert!(matches!(fenced, Err(StoreError::Fenced(_))), "{fenced:?}");
}

#[tokio::test]
async fn who_waits_is_told_when_the_store_ends() {
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let failpoints = Failpoints::default().with(Point::ShardAfterCommit, Fault::Fail, 0);
    let store = EmbeddedStore::open_with(dir.path(), clock, failpoints).expect("the folder opens");
    let (queue, other) = (store.queue(), store.queue());
    let waiting = tokio::spawn(async move { other.claim(&name("other"), 1, LEASE, Duration::from_secs(3_600)).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let outcome = queue.enqueue(&name("q"), vec![body("a")], None).await;
    assert!(matches!(outcome, Err(StoreError::Ambiguous(_))), "{outcome:?}");
    let told = tokio::time::timeout(PATIENCE, waiting).await.expect("it is told").expect("no panic");
    assert!(told.is_err(), "{told:?}");
    assert!(queue.stats(&name("q")).await.is_err() && queue.claim(&name("q"), 1, LEASE, NOW).await.is_err());
}

/// A message that waits in a queue costs its number, whatever it holds, and the last of many is as near as the first.
#[tokio::test]
async fn a_backlog_drains_in_order_and_completely() {
    const MESSAGES: usize = 20_000;
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let store = open(dir.path(), &clock);
    let queue = store.queue();
    for batch in 0..MESSAGES / 1_000 {
        send(&queue, (0..1_000).map(|i| body(&format!("{:06}", batch * 1_000 + i))).collect()).await;
    }
    drop((queue, store));
    let store = open(dir.path(), &clock);
    let queue = store.queue();
    let mut seen = 0;
    loop {
        let held = take(&queue, 1_000).await;
        if held.is_empty() {
            break;
        }
        assert_eq!(texts(&held)[0], format!("{seen:06}"));
        seen += held.len();
        queue.ack(&name("q"), &receipts(&held)).await.expect("there is room");
    }
    assert_eq!(seen, MESSAGES);
}

#[tokio::test]
async fn ten_thousand_queues_wait_at_once() {
    const QUEUES: usize = 10_000;
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let store = open(dir.path(), &clock);
    let mut waiting = tokio::task::JoinSet::new();
    for i in 0..QUEUES {
        let queue = store.queue();
        waiting.spawn(async move { queue.claim(&name(&i.to_string()), 1, LEASE, Duration::from_secs(3_600)).await });
    }
    let queue = store.queue();
    for i in [7, 4_711, 9_999] {
        queue.enqueue(&name(&i.to_string()), vec![body("a")], None).await.expect("there is room");
        let told = tokio::time::timeout(PATIENCE, waiting.join_next()).await.expect("it is served");
        let deliveries = told.expect("somebody waited").expect("no panic").expect("claimable");
        assert_eq!(texts(&deliveries), ["a"]);
    }
    assert_eq!(waiting.len(), QUEUES - 3);
}

#[tokio::test]
async fn units_span_streams_and_are_fenced_by_their_groups() {
    let (dir, clock) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(TestClock::new()));
    let store = open(dir.path(), &clock);
    let (log, unit, queue) = (store.log(), store.unit(), store.queue());
    let (stream, group) = (StreamName("shop/dev/s".into()), GroupName("g".into()));
    let record = |text: &str| Record { body: Bytes::copy_from_slice(text.as_bytes()), ..Record::default() };
    log.append(&stream, vec![record("a"), record("b")], None).await.expect("there is room");
    let owned = log.join(&stream, &group, "me", LEASE).await.expect("there is room");
    let (partition, epoch) = owned[0];
    let effects = |next: u64, epoch: Epoch| Effects {
        offsets: vec![(stream.clone(), group.clone(), partition, Sequence(next), epoch)],
        appends: vec![(StreamName("shop/dev/out".into()), record("c"))],
        enqueues: vec![(name("q"), body("d"))],
        ..Effects::default()
    };
    let key = |text: &str| IdempotencyKey(text.into());
    for _ in 0..2 {
        assert_eq!(unit.commit(effects(1, epoch), key("1")).await.expect("there is room"), UnitOutcome::Committed);
    }
    let committed = async || log.committed(&stream, &group, partition).await.expect("readable");
    let out = async || log.stats(&StreamName("shop/dev/out".into())).await.expect("readable")[0].next;
    assert_eq!((committed().await, out().await), (Some(Sequence(1)), Sequence(1)));
    let old = unit.commit(effects(2, Epoch(epoch.0 - 1)), key("2")).await.expect("there is room");
    assert!(matches!(&old, UnitOutcome::Refused(refusal) if refusal.kind == RefusalKind::Fenced), "{old:?}");
    assert_eq!((committed().await, out().await), (Some(Sequence(1)), Sequence(1)));
    assert_eq!(take(&queue, 10).await.len(), 1, "only the first unit sent anything");
}
