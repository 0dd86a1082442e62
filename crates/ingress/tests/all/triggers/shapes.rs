//! What changes of stores, events and rows look like when they arrive, and which of them do.

use std::time::Duration;

use types::{
    CloudEvent, Timestamp,
    event::StoreChange,
    kv::Rev,
    queue::Message,
    sql::{DatabaseName, RowChanged, SqlValue},
    trigger::{ChangeKind, RowChange, Source},
};

use super::world::{World, done, function, shared, trigger_queue};
use ports::Plane;

fn waiting(change: &StoreChange) -> Message {
    Message { body: postcard::to_allocvec(change).expect("it is written").into(), ..Message::default() }
}

async fn deliver(source: Source, changes: &[StoreChange]) -> World {
    let world = World::new(vec![function("worker", source, |rules| rules.batch = 1)], |_| done()).await;
    for change in changes {
        world.store.put(&trigger_queue("worker"), waiting(change));
    }
    world.settle().await;
    assert_eq!(world.store.waiting(), 0, "nothing stays behind");
    world
}

fn put(key: &'static [u8], old: Option<&'static [u8]>, new: Option<&'static [u8]>) -> StoreChange {
    let bytes = |bytes: &'static [u8]| bytes::Bytes::from_static(bytes);
    StoreChange::Kv { key: bytes(key), old: old.map(bytes), new: new.map(bytes), rev: Rev(7), at: Timestamp::from_unix_ms(1) }
}

#[tokio::test]
async fn changes_of_key_value_stores_have_the_old_and_the_new_value() {
    let source = Source::Kv { store: "carts".into(), change: ChangeKind::Any, matching: Some("user:*".into()) };
    let changes = [put(b"user:1", None, Some(b"x")), put(b"other", None, Some(b"x")), put(b"user:2", Some(b"\xff"), None)];
    let world = deliver(source, &changes).await;
    let seen = world.seen();
    assert_eq!(seen.len(), 2, "one key is not asked for");
    assert_eq!(seen[0].headers["ce-type"], "dayfly.kv.put");
    assert_eq!(seen[0].headers["dayfly-trigger"], "kv");
    assert_eq!(seen[0].headers["ce-source"], "/apps/shop/dev/kv/carts");
    assert_eq!(seen[0].headers["ce-subject"], "user:1");
    assert_eq!(seen[0].json(), serde_json::json!({"key": "user:1", "old": null, "new": "x", "rev": 7}));
    assert_eq!(seen[1].headers["ce-type"], "dayfly.kv.delete");
    assert_eq!(seen[1].json(), serde_json::json!({"key": "user:2", "old_base64": "/w==", "new": null, "rev": 7}));
}

#[tokio::test]
async fn objects_arrive_with_what_is_known_of_them() {
    let source = Source::Bucket { bucket: "uploads".into(), change: ChangeKind::Written, matching: Some("*.jpg".into()) };
    let object = |key: &str, written| StoreChange::Object {
        key: key.into(),
        written,
        bytes: 5,
        etag: "e".into(),
        content_type: Some("image/jpeg".into()),
        version: None,
        at: Timestamp::from_unix_ms(1),
    };
    let world = deliver(source, &[object("in/cat é.jpg", true), object("cat.jpg", false), object("a.txt", true)]).await;
    let seen = world.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["ce-type"], "dayfly.bucket.created");
    assert_eq!(seen[0].headers["dayfly-trigger"], "bucket");
    assert_eq!(seen[0].headers["ce-subject"], "in/cat%20%C3%A9.jpg");
    let data = serde_json::json!(
        {"bucket": "uploads", "key": "in/cat é.jpg", "bytes": 5, "etag": "e", "contentType": "image/jpeg", "version": null}
    );
    assert_eq!(seen[0].json(), data);
}

#[tokio::test]
async fn published_events_arrive_as_they_are() {
    let source =
        Source::Event { bus: "default".into(), pattern: "order.*".into(), filter: Some("event.data.total > 100".into()) };
    let event = |total: u32| CloudEvent {
        id: format!("e{total}"),
        source: "/test".into(),
        kind: "order.created".into(),
        subject: None,
        time: None,
        content_type: Some("application/json".into()),
        schema: None,
        extensions: vec![("tenant".into(), "acme".into())],
        data: Some(format!("{{\"total\":{total}}}").into()),
    };
    let world = deliver(source, &[event(50), event(150)].map(StoreChange::Published)).await;
    let seen = world.seen();
    assert_eq!(
        (seen.len(), &seen[0].headers["ce-id"], &seen[0].headers["ce-tenant"]),
        (1, &"e150".parse().expect("a value"), &"acme".parse().expect("a value"))
    );
    assert_eq!(seen[0].body, "{\"total\":150}");
    assert_eq!(seen[0].headers["dayfly-trigger"], "event");
}

fn row(sequence: u64, table: &str, change: RowChange) -> RowChanged {
    let values = || Some(vec![SqlValue::Integer(1), SqlValue::Text("é".into()), SqlValue::Blob("b".into()), SqlValue::Null]);
    RowChanged {
        sequence,
        table: table.into(),
        change,
        columns: ["id", "name", "photo", "note"].map(str::to_owned).to_vec(),
        old: if change == RowChange::Insert { None } else { values() },
        new: if change == RowChange::Delete { None } else { values() },
    }
}

fn rows_source(change: Option<RowChange>) -> Source {
    Source::Sql { database: "main".into(), tables: vec!["orders".into()], change }
}

#[tokio::test]
async fn changed_rows_are_forwarded_once_although_the_process_dies_between() {
    use std::sync::atomic::Ordering;
    let functions = || {
        let all = function("all", rows_source(None), |rules| rules.batch = 1);
        let inserts = function("inserts", rows_source(Some(RowChange::Insert)), |rules| rules.batch = 1);
        vec![all, inserts]
    };
    let mut world = World::new(functions(), |_| done()).await;
    let database = DatabaseName("shop/dev/main".into());
    assert_eq!(world.store.captured()[&database], ["orders"]);
    // What was forwarded is not forgotten: as if the process had died just before.
    world.store.forgets_nothing.store(true, Ordering::Relaxed);
    world.store.change_row(row(1, "orders", RowChange::Insert), None);
    world.store.change_row(row(2, "other", RowChange::Insert), None);
    world.store.change_row(row(3, "orders", RowChange::Delete), None);
    world.settle().await;
    world.crash(&shared(1, vec![(1, functions(), 1)])).await;
    world.store.forgets_nothing.store(false, Ordering::Relaxed);
    world.store.change_row(row(4, "ORDERS", RowChange::Update), None);
    world.pass(Duration::from_secs(120)).await;
    let mut kinds: Vec<String> = world
        .seen()
        .iter()
        .map(|seen| format!("{} {}", seen.function, seen.headers["ce-type"].to_str().expect("text")))
        .collect();
    kinds.sort_unstable();
    let all = ["all dayfly.sql.delete", "all dayfly.sql.insert", "all dayfly.sql.update", "inserts dayfly.sql.insert"];
    assert_eq!(kinds, all);
    assert!(world.seen().iter().all(|seen| seen.headers["dayfly-trigger"] == "sql"));
    let insert = world.seen().into_iter().find(|seen| seen.function == "inserts").expect("it ran").json();
    let new = serde_json::json!({"id": 1, "name": "é", "photo": {"base64": "Yg=="}, "note": null});
    assert_eq!(insert, serde_json::json!({"table": "orders", "old": null, "new": new, "sequence": 1}));
    // Nobody asks any more: the database stops noting. One that is made anew counts from the beginning, and is forwarded from there.
    world.triggers.install(&shared(2, vec![]));
    world.settle().await;
    assert!(world.store.captured()[&database].is_empty());
    world.triggers.install(&shared(3, vec![(3, functions(), 1)]));
    world.settle().await;
    world.store.change_row(row(1, "orders", RowChange::Delete), None);
    world.settle().await;
    assert_eq!(world.seen().len(), 5);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_and_what_is_not_asked_for_is_gone() {
    let source = Source::Kv { store: "carts".into(), change: ChangeKind::Deleted, matching: None };
    let world = World::new(vec![function("worker", source, |_| {})], |_| done()).await;
    world.store.put(&trigger_queue("worker"), Message { body: "\u{7f}nonsense".into(), ..Message::default() });
    world.store.put(&trigger_queue("worker"), waiting(&put(b"a", None, Some(b"1"))));
    world.store.put(&trigger_queue("worker"), waiting(&StoreChange::Tick { scheduled: Timestamp::from_unix_ms(1), missed: 0 }));
    world.settle().await;
    assert!(world.seen().is_empty());
    assert_eq!((world.store.waiting(), world.store.buried().len()), (0, 1));
}
