//! Calls of every service and every answer to them, for the golden file of those.

use bytes::Bytes;
use types::{
    CloudEvent, Digest, Elapsed, SpanId, Timestamp, TraceId,
    journal::{BucketCall, CallId, Entry, Operation, Reply, SecretRef, SqlCall, StreamCall},
    object::{ByteRange, ObjectAttributes, ObjectCondition, ObjectInfo, ObjectPage, ObjectQuery, VersionId},
    queue::{Enqueued, Message, MessageId},
    sql::{Rows, SqlValue, Statement},
    stream::{Appended, GroupName, Partition, PartitionStats, Record, Sequence},
    trace::{Cause, TraceContext},
};

pub(crate) fn calls() -> Vec<Entry> {
    let all = [sends(), statements(), objects()].concat();
    let both = |(number, (operation, reply)): (u32, (Operation, Reply))| {
        let (id, at) = (CallId(number), Elapsed::from_ns(u64::from(number) * 1_000));
        [Entry::Call { id, at, operation }, Entry::Return { id, at: at.plus(Elapsed::from_ns(999)), reply }]
    };
    (0..).zip(all).flat_map(both).collect()
}

fn cause() -> Cause {
    let (trace, span) = (TraceId::from_bytes([1; 16]).expect("not zero"), SpanId::from_bytes([2; 8]).expect("not zero"));
    Cause { trace: TraceContext { trace, span, sampled: true }, depth: 3 }
}

fn sends() -> Vec<(Operation, Reply)> {
    let text = |text: &'static str| Bytes::from(text);
    let message = Message {
        body: text("letter"),
        delay: std::time::Duration::from_millis(5),
        dedup: Some(text("d")),
        group: None,
        attributes: vec![("content-type".into(), "text/plain".into())],
        cause: None,
    };
    let grouped = Message { group: Some(text("g")), cause: Some(cause()), ..Message::default() };
    let send = Operation::QueueSend { queue: "mail".into(), messages: vec![message, grouped] };
    let stream = |call| Operation::Stream { stream: "audit".into(), call };
    let record = Record { key: Some(text("k")), body: text("b"), dedup: None, cause: Some(cause()) };
    let (partition, at) = (Partition(1), Timestamp::from_unix_ms(1_767_225_600_000));
    let append = stream(StreamCall::Append { records: vec![record.clone()], expect: Some(Sequence(4)) });
    let wait = Elapsed::from_ns(1_000);
    let stats =
        PartitionStats { partition, oldest: Sequence(1), next: Sequence(5), groups: vec![(GroupName("g".into()), Sequence(3))] };
    let event = CloudEvent {
        id: "1".into(),
        source: "/shop/api".into(),
        kind: "order.made".into(),
        subject: Some("7".into()),
        time: Some(at),
        content_type: Some("application/json".into()),
        schema: None,
        extensions: vec![("priority".into(), "1".into())],
        data: Some(text("{}")),
    };
    let secret = SecretRef { version: 2, bytes: 32, hash: Digest::from_bytes([6; 32]) };
    vec![
        (send, Reply::QueueSent(vec![Enqueued::New(MessageId(9)), Enqueued::Duplicate(MessageId(8))])),
        (append, Reply::StreamAppended(vec![(partition, Sequence(4))])),
        (
            stream(StreamCall::Read { partition, from: Sequence(4), max: 10, wait }),
            Reply::StreamRecords(vec![Appended { sequence: Sequence(4), at, record }]),
        ),
        (stream(StreamCall::Stats), Reply::StreamStats(vec![stats])),
        (Operation::Publish { bus: "default".into(), events: vec![event] }, Reply::Published),
        (Operation::Secret { name: "token".into() }, Reply::Secret(Some(secret))),
    ]
}

fn statements() -> Vec<(Operation, Reply)> {
    let sql = |call| Operation::Sql { database: "main".into(), connection: 1, call };
    let values = || {
        let (text, blob) = (SqlValue::Text("ä".into()), SqlValue::Blob(Bytes::from_static(&[0, 255])));
        vec![SqlValue::Null, SqlValue::Integer(-1), SqlValue::Real(0.5), text, blob]
    };
    let statement = || Statement { text: "SELECT ?".into(), parameters: values() };
    let rows = || Rows { columns: vec!["a".into()], rows: vec![values()], changed: 3, last_insert: -7 };
    vec![
        (sql(SqlCall::Connect), Reply::SqlConnected),
        (sql(SqlCall::Run(statement())), Reply::SqlRows { rows: vec![rows()], in_transaction: true }),
        (sql(SqlCall::Batch(vec![statement()])), Reply::SqlRows { rows: vec![Rows::default()], in_transaction: false }),
    ]
}

fn objects() -> Vec<(Operation, Reply)> {
    let bucket = |call| Operation::Bucket { bucket: "files".into(), call };
    let (key, version) = (|| "a/b".to_owned(), || Some(VersionId("v1".into())));
    let pair = || std::collections::BTreeMap::from([("name".to_owned(), "value".to_owned())]);
    let attributes =
        || ObjectAttributes { content_type: Some("image/png".into()), headers: pair(), metadata: pair(), tags: pair() };
    let info = || ObjectInfo {
        key: key(),
        bytes: 300,
        etag: "0123".into(),
        modified: Timestamp::from_unix_ms(1_767_225_600_000),
        version: VersionId("v1".into()),
        is_delete_marker: false,
        attributes: attributes(),
        checksums: vec![("crc32".into(), "AAAA".into())],
        parts: vec![100, 200],
    };
    let found = || Reply::Object(Some(info()));
    let query = ObjectQuery { prefix: "a".into(), delimiter: Some("/".into()), after: Some("a".into()), limit: 9 };
    let page = ObjectPage { objects: vec![info()], prefixes: vec!["a/".into()], next: Some("z".into()) };
    let get = |range| BucketCall::Get { key: key(), version: None, range: Some(range) };
    let put = |condition| BucketCall::Put { key: key(), attributes: attributes(), condition };
    let copy =
        BucketCall::Copy { from: key(), version: version(), key: key(), attributes: None, condition: ObjectCondition::None };
    vec![
        (bucket(BucketCall::Create), Reply::BucketMade(true)),
        (bucket(BucketCall::Created), Reply::BucketCreated(Some(Timestamp::from_unix_ms(5)))),
        (bucket(BucketCall::Head { key: key(), version: version() }), Reply::Object(None)),
        (bucket(get(ByteRange::Between(1, 2))), found()),
        (bucket(get(ByteRange::From(1))), found()),
        (bucket(get(ByteRange::Last(1))), found()),
        (bucket(put(ObjectCondition::Absent)), found()),
        (bucket(put(ObjectCondition::Matches("0123".into()))), found()),
        (bucket(BucketCall::Delete { key: key(), version: None }), found()),
        (bucket(copy), found()),
        (bucket(BucketCall::List(query)), Reply::ObjectPage(page)),
    ]
}
