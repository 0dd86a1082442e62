//! Queues, streams, databases, buckets, buses and secrets: grants, counts, causes, and replays that need none of them.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use invoke::{Replay, Report, replay};
use ports::{Body, Scope, StoreError, runtime::Ended, secrets::SecretValue};
use types::{
    Code, Function,
    journal::{Journal, Operation, Reply},
    object::{BucketName, ObjectQuery, PutOptions},
    queue::Message,
    sql::{SqlAccess, SqlValue, Statement},
    stream::{Partition, Record, Sequence},
};

use super::support::{FakeCode, Guest, World, answer, guest, text};

const CANARY: &str = "canary-4711-key";

fn uses(grants: &'static [&'static str]) -> impl FnOnce(&mut Function) {
    move |function| function.uses = grants.iter().map(|grant| grant.parse().expect("a grant")).collect()
}

const ALL: &[&str] = &["queue.mail", "stream.audit", "sql.main", "bucket.files", "event.default", "secret.token", "kv.cache"];

fn statement(text: &str) -> Statement {
    Statement { text: text.into(), parameters: vec![SqlValue::Text("p".into())] }
}

/// A guest that uses everything, and tells all that it was told.
async fn work(scope: &Arc<dyn Scope>) -> String {
    let mut told = String::new();
    let mut tell = |text: String| told.push_str(&(text + "\n"));
    let queue = scope.queue("mail").expect("granted");
    let message = Message { body: Bytes::from_static(b"letter"), ..Message::default() };
    tell(format!("{:?}", queue.queue.enqueue(&queue.name, vec![message], None).await));
    let stream = scope.stream("audit").expect("granted");
    let record = Record { body: Bytes::from_static(b"seen"), ..Record::default() };
    tell(format!("{:?}", stream.log.append(&stream.name, vec![record], None).await));
    let read = stream.log.read(&stream.name, Partition(0), Sequence(0), 10, std::time::Duration::ZERO).await;
    tell(format!("{:?} {:?}", read.expect("a read"), stream.log.stats(&stream.name).await));
    let sql = scope.sql("main").expect("granted");
    let (first, second) = (sql.sql.connect(&sql.database, sql.access).await, sql.sql.connect(&sql.database, sql.access).await);
    let (first, second) = (first.expect("a connection"), second.expect("a connection"));
    tell(format!("{:?}", first.run(statement("BEGIN"), None).await));
    tell(format!("{} {:?}", first.in_transaction(), second.run(statement("SELEC"), None).await.map_err(|error| error.code())));
    drop(first);
    tell(format!("{:?}", second.batch(vec![statement("SELECT 1"), statement("SELECT 2")], None).await));
    let bucket = scope.bucket("files").expect("granted");
    bucket.objects.create_bucket(&bucket.bucket).await.expect("it is made");
    let put = bucket.objects.put(&bucket.bucket, "a", Body::from("content"), PutOptions::default()).await;
    tell(format!("{:?}", put.map(|info| (info.bytes, info.etag, info.modified))));
    tell(format!("{:?}", bucket.objects.head(&bucket.bucket, "b", None).await));
    let (info, body) = bucket.objects.get(&bucket.bucket, "a", None, None).await.expect("a get").expect("it is there");
    drop(body);
    let query = ObjectQuery { limit: 10, ..ObjectQuery::default() };
    tell(format!("{} {:?}", info.etag, bucket.objects.list(&bucket.bucket, query).await));
    scope.bus("default").expect("granted").publish(vec![event("e1")]).await.expect("a publish");
    let secret = scope.secret("token").await.expect("granted").expect("it is set");
    tell(format!("{} {:?}", secret.0.len(), scope.secrets()));
    // The secret goes where secrets go: into a header, a statement, a value.
    let header = [b"Bearer ", secret.0.as_slice()].concat();
    let time = std::time::Duration::from_secs(1);
    let request = http::Request::get("http://example.com/x").header("authorization", header.as_slice()).body(Body::Empty);
    let request = request.expect("a request");
    let request = ports::outbound::OutboundRequest {
        request,
        private_named: false,
        connect_time: time,
        first_byte_time: time,
        between_bytes_time: time,
    };
    tell(format!("{:?}", scope.outbound().send(request).await.map(|response| response.status())));
    let with_secret = Statement { text: "SELECT ?".into(), parameters: vec![SqlValue::Blob(secret.0.into())] };
    tell(format!("{}", second.run(with_secret, None).await.is_ok()));
    told
}

fn event(id: &str) -> types::CloudEvent {
    types::CloudEvent {
        id: id.into(),
        source: "/shop/api".into(),
        kind: "order.made".into(),
        subject: None,
        time: None,
        content_type: None,
        schema: None,
        extensions: Vec::new(),
        data: Some(Bytes::from_static(b"{}")),
    }
}

fn everything() -> Guest {
    guest(|_, scope, _| async move {
        let told = work(&scope).await;
        answer(&scope, 500, told)
    })
}

fn world(guest: Guest) -> World {
    let world = World::new(guest, uses(ALL));
    world.platform.secrets.lock().insert("token".into(), SecretValue(CANARY.into()));
    world
}

async fn again(journal: Journal, code: Guest) -> Report {
    let clock = system::SystemClock::new();
    let replayed = replay(Replay { journal, code: Arc::new(FakeCode(code)), until: None }, &clock);
    replayed.await.expect("the record holds a request")
}

#[tokio::test]
async fn a_replay_needs_none_of_the_services_and_tells_the_same() {
    let world = world(everything());
    let (_, told) = text(world.invoke("/").await).await;
    let record = world.records()[0].clone();
    let journal = world.journal(record.id).await.expect("kept");
    let report = again(journal, everything()).await;
    assert!(report.is_faithful(), "{:?} {:?}\n{told}", report.halt, report.differences);
    assert_eq!(report.fakes, ["token"]);
    // The same without the unit and with it.
    assert_eq!(*world.platform.open.lock(), 0, "every connection is closed");
}

#[tokio::test]
async fn a_replay_of_held_effects_tells_the_same() {
    let run = || {
        guest(|_, scope, _| async move {
            let queue = scope.queue("mail").expect("granted");
            let sent = queue.queue.enqueue(&queue.name, vec![Message::default()], None).await;
            let open = scope.kv("cache").expect("granted");
            open.kv.commit(&open.namespace, super::support::put("n", "1")).await.expect("a put");
            let read = open.kv.get(&open.namespace, &Bytes::from_static(b"n")).await;
            answer(&scope, 200, format!("{sent:?} {read:?}"))
        })
    };
    let world = World::new(run(), |function| {
        uses(ALL)(function);
        function.effects = types::trigger::Effects::Atomic;
    });
    drop(world.deliver(&[("a", 1)], 1).await);
    let journal = world.journal(world.records()[0].id).await.expect("kept");
    let report = again(journal, run()).await;
    assert!(report.is_faithful(), "{report:?}");
}

#[tokio::test]
async fn calls_are_counted_by_service_and_stand_in_the_trace() {
    let world = world(everything());
    drop(world.invoke("/").await);
    let record = &world.records()[0];
    let services = record.usage.services;
    assert_eq!((services.queue.calls, services.queue.bytes.0), (1, 6));
    assert_eq!((services.stream.calls, services.stream.bytes.0), (3, 8), "appended and read");
    assert_eq!(services.sql.calls, 6);
    assert_eq!((services.bucket.calls, services.bucket.bytes.0), (5, 7), "what was read of the object was not read to its end");
    assert_eq!((services.event.calls, services.event.bytes.0), (1, 2));
    let names: Vec<_> = record.spans.iter().map(|span| format!("{} {}", span.name, span.result)).collect();
    for expected in [
        "queue.mail send 1 ok",
        "stream.audit append 1 ok",
        "stream.audit read 0 from 0 1 records",
        "sql.main connect ok",
        "sql.main BEGIN 1 rows",
        "sql.main SELEC E0610",
        "sql.main batch of 2 2 rows",
        "bucket.files put \"a\" 7 bytes",
        "bucket.files head \"b\" miss",
        "event.default publish \"order.made\" ok",
        "secret.token get version 1",
    ] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not in {names:#?}");
    }
    let cause = world.platform.statements.lock()[0].1.expect("it is stamped");
    assert_eq!((cause.trace.span, cause.depth), (record.span, 1));
}

#[tokio::test]
async fn without_a_record_calls_are_still_counted_and_shown() {
    let world = World::new(everything(), |function| {
        uses(ALL)(function);
        function.record = types::RecordMode::Off;
    });
    world.platform.secrets.lock().insert("token".into(), SecretValue(CANARY.into()));
    drop(world.invoke("/").await);
    let record = &world.records()[0];
    assert!(!record.journal_kept && record.usage.services.sql.calls == 6);
    assert!(record.spans.iter().any(|span| span.name == "sql.main batch of 2" && span.result == "2 rows"), "{:?}", record.spans);
}

#[tokio::test]
async fn a_secret_is_in_no_journal() {
    let world = world(everything());
    drop(world.invoke("/").await);
    let journal = world.journal(world.records()[0].id).await.expect("kept");
    let bytes = postcard_of(&journal);
    assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "the value is in the journal");
    let noted = journal.entries.iter().find_map(|entry| match entry {
        types::journal::Entry::Return { reply: Reply::Secret(Some(secret)), .. } => Some(secret.clone()),
        _ => None,
    });
    assert_eq!(noted.map(|secret| (secret.version, secret.bytes as usize)), Some((1, CANARY.len())));
    // The control: the same value that is no secret is found where the calls carry it.
    let control = guest(|_, scope, _| async move {
        let open = scope.kv("cache").expect("granted");
        open.kv.commit(&open.namespace, super::support::put("n", CANARY)).await.expect("a put");
        answer(&scope, 500, "")
    });
    let world = World::new(control, uses(ALL));
    drop(world.invoke("/").await);
    let bytes = postcard_of(&world.journal(world.records()[0].id).await.expect("kept"));
    assert!(bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
}

fn postcard_of(journal: &Journal) -> Vec<u8> {
    let export = types::wire::Export { journal: journal.clone(), digest: journal.invoke.artifact, component: Vec::new() };
    invoke::export::encode(&export).to_vec()
}

#[tokio::test]
async fn only_what_is_granted_opens() {
    let run = guest(|_, scope, _| async move {
        let codes = [
            scope.queue("x").err().map(|failure| failure.code),
            scope.stream("x").err().map(|failure| failure.code),
            scope.sql("x").err().map(|failure| failure.code),
            scope.bucket("x").err().map(|failure| failure.code),
            scope.bus("x").err().map(|failure| failure.code),
            scope.secret("x").await.err().map(|failure| failure.code),
        ];
        assert_eq!(codes, [Some(Code::E0201); 6]);
        assert!(scope.secrets().is_empty());
        answer(&scope, 200, "")
    });
    let world = World::new(run, uses(&["kv.x"]));
    assert_eq!(world.invoke("/").await.status(), 200);
    let record = &world.records()[0];
    assert_eq!(record.refusals.len(), 6);
    assert!(record.refusals[0].message.contains("add \"queue.x\" to uses in [fn.api]"), "{}", record.refusals[0].message);
}

#[tokio::test]
async fn what_is_granted_for_reading_is_not_written() {
    let run = guest(|_, scope, _| async move {
        assert_eq!(scope.queue("mail").err().map(|failure| failure.code), Some(Code::E0202));
        assert_eq!(scope.bus("default").err().map(|failure| failure.code), Some(Code::E0202));
        let stream = scope.stream("audit").expect("granted");
        let append = stream.log.append(&stream.name, vec![Record::default()], None).await;
        assert_eq!(append.err().map(|error| error.code()), Some(Code::E0202));
        assert!(stream.log.stats(&stream.name).await.is_ok());
        let sql = scope.sql("main").expect("granted");
        assert_eq!(sql.access, SqlAccess::Read);
        // Whatever it asks for, it is given what it was granted.
        let connection = sql.sql.connect(&sql.database, SqlAccess::ReadWrite).await.expect("a connection");
        assert!(matches!(connection.run(statement("DELETE"), None).await, Err(StoreError::Denied(_))));
        assert!(connection.run(statement("SELECT 1"), None).await.is_ok());
        let bucket = scope.bucket("files").expect("granted");
        let put = bucket.objects.put(&bucket.bucket, "a", Body::from("x"), PutOptions::default()).await;
        let delete = bucket.objects.delete(&bucket.bucket, "a", None, None).await;
        assert!(matches!((put, delete), (Err(StoreError::Denied(_)), Err(StoreError::Denied(_)))));
        answer(&scope, 200, "")
    });
    let world = World::new(
        run,
        uses(&["queue.mail:read", "event.default:read", "stream.audit:read", "sql.main:read", "bucket.files:read"]),
    );
    assert_eq!(world.invoke("/").await.status(), 200);
}

#[tokio::test]
async fn what_is_not_for_functions_is_denied() {
    let run = guest(|_, scope, _| async move {
        let queue = scope.queue("mail").expect("granted");
        assert!(matches!(queue.queue.purge(&queue.name).await, Err(StoreError::Denied(_))));
        let lease = std::time::Duration::from_secs(1);
        assert!(matches!(queue.queue.claim(&queue.name, 1, lease, lease).await, Err(StoreError::Denied(_))));
        let bucket = scope.bucket("files").expect("granted");
        let other = BucketName("other/prod/files".into());
        assert!(matches!(bucket.objects.head(&other, "a", None).await, Err(StoreError::Denied(_))));
        let sql = scope.sql("main").expect("granted");
        assert!(matches!(sql.sql.dump(&sql.database).await, Err(StoreError::Denied(_))));
        answer(&scope, 200, "")
    });
    assert_eq!(world(run).invoke("/").await.status(), 200);
}

#[tokio::test]
async fn connections_are_bounded_and_free_again_when_dropped() {
    let run = guest(|_, scope, _| async move {
        let sql = scope.sql("main").expect("granted");
        let mut open = Vec::new();
        for _ in 0..types::limits::SQL_CONNECTIONS {
            open.push(sql.sql.connect(&sql.database, sql.access).await.expect("a connection"));
        }
        assert!(matches!(sql.sql.connect(&sql.database, sql.access).await, Err(StoreError::TooMany { .. })));
        open.pop();
        assert!(sql.sql.connect(&sql.database, sql.access).await.is_ok());
        answer(&scope, 200, "")
    });
    assert_eq!(world(run).invoke("/").await.status(), 200);
}

#[tokio::test]
async fn an_object_is_read_as_it_was_written() {
    let run = guest(|_, scope, _| async move {
        let bucket = scope.bucket("files").expect("granted");
        bucket.objects.create_bucket(&bucket.bucket).await.expect("it is made");
        bucket.objects.put(&bucket.bucket, "a", Body::from("content"), PutOptions::default()).await.expect("a put");
        let (_, body) = bucket.objects.get(&bucket.bucket, "a", None, None).await.expect("a get").expect("it is there");
        let bytes = body.collect().await.expect("whole").to_bytes();
        answer(&scope, 200, String::from_utf8_lossy(&bytes).into_owned())
    });
    let world = world(run);
    assert_eq!(text(world.invoke("/").await).await.1, "content");
    assert_eq!(world.records()[0].usage.services.bucket.bytes.0, 14);
}

#[tokio::test]
async fn other_code_diverges_at_its_first_other_call_of_a_service() {
    let world = world(everything());
    drop(world.invoke("/").await);
    let journal = world.journal(world.records()[0].id).await.expect("kept");
    let other = guest(|_, scope, _| async move {
        let queue = scope.queue("mail").expect("granted");
        let message = Message { body: Bytes::from_static(b"another letter"), ..Message::default() };
        drop(queue.queue.enqueue(&queue.name, vec![message], None).await);
        Ended::Returned
    });
    let report = again(journal.clone(), other).await;
    assert!(matches!(report.halt, Some(invoke::Halt::Diverged { at: 1, .. })), "{report:?}");
    assert!(journal.entries.iter().any(|entry| matches!(
        entry,
        types::journal::Entry::Call { operation: Operation::QueueSend { messages, .. }, .. } if messages[0].cause.is_none()
    )));
}
