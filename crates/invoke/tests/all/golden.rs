//! Exported invocations outlive the version that wrote them: files of earlier versions, kept in `tests/golden`, read as what they were
//! written from, and are written the same again.
//!
//! When the form changes, it gets a new [`types::wire::EXPORT_MAGIC`] and a new file here; the old file stays, and so does its test.
//! `UPDATE_EXPECT=1` writes a file that is missing, and never one that is there.

use std::{collections::BTreeMap, fs, path::Path};

use bytes::Bytes;
use invoke::export;
use types::{
    Code, Digest, Elapsed, InvocationId, Limits, Outcome, RevisionNumber, SpanId, Timestamp, TraceId, Usage,
    journal::{
        Answer, BodyDigest, BucketCall, CallId, End, Entry, Failure, Headers, Invoke, Journal, Level, LogLine, Operation, Reply,
        RequestHead, SqlCall, StreamCall,
    },
    kv,
    trace::TraceContext,
    units::ByteCount,
    wire::Export,
};

const COMPONENT: &[u8] = b"a component";

#[test]
fn an_export_of_version_1_is_read_and_written_as_it_was() {
    check("export-1.dayflyx", &export_of_all());
}

/// The same form: what came later stands at the end of the lists of calls and answers.
#[test]
fn an_export_with_calls_of_services_is_read_and_written_as_it_was() {
    check("export-1-services.dayflyx", &export_of_services());
}

fn check(name: &str, export: &Export) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() && !path.exists() {
        fs::write(&path, export::encode(export)).expect("the folder is there");
    }
    let file = fs::read(&path).expect("the golden file is kept beside the tests");
    assert_eq!(export::decode(&file).expect("it is an export"), *export, "an old file reads as something else");
    assert_eq!(export::encode(export), file, "the form changed: it needs a new magic and a new golden file");
}

/// Each `match` has no arm for the rest: a new variant does not compile until it is counted here, and then has to be in the file.
#[test]
fn the_journals_of_the_golden_files_have_every_variant() {
    let entries = [export_of_all().journal.entries, export_of_services().journal.entries].concat();
    let mut seen: [Vec<usize>; 4] = Default::default();
    for entry in &entries {
        let number = match entry {
            Entry::Call { operation, .. } => {
                seen[1].push(operation_number(operation));
                0
            }
            Entry::Return { reply, .. } => {
                seen[2].push(reply_number(reply));
                1
            }
            Entry::Answer(answer) => {
                seen[3].push(answer_number(answer));
                2
            }
            Entry::Log(_) => 3,
            Entry::GrowDenied { .. } => 4,
            Entry::Refused { .. } => 5,
            Entry::Respond { .. } => 6,
        };
        seen[0].push(number);
    }
    for (name, numbers, count) in ["entry", "operation", "reply", "answer"].into_iter().zip(seen).zip([7, 22, 19, 11]).map(flat) {
        let missing: Vec<usize> = (0..count).filter(|number| !numbers.contains(number)).collect();
        assert!(missing.is_empty(), "no {name} with the numbers {missing:?}");
    }
}

fn flat<A, B, C>(((a, b), c): ((A, B), C)) -> (A, B, C) {
    (a, b, c)
}

fn operation_number(operation: &Operation) -> usize {
    match operation {
        Operation::KvGet { .. } => 0,
        Operation::KvGetMany { .. } => 1,
        Operation::KvList { .. } => 2,
        Operation::KvCommit { .. } => 3,
        Operation::Http { .. } => 4,
        Operation::QueueSend { .. } => 5,
        Operation::Stream { call: StreamCall::Append { .. }, .. } => 6,
        Operation::Stream { call: StreamCall::Read { .. }, .. } => 7,
        Operation::Stream { call: StreamCall::Stats, .. } => 8,
        Operation::Sql { call: SqlCall::Connect, .. } => 9,
        Operation::Sql { call: SqlCall::Run(_), .. } => 10,
        Operation::Sql { call: SqlCall::Batch(_), .. } => 11,
        Operation::Bucket { call: BucketCall::Head { .. }, .. } => 12,
        Operation::Bucket { call: BucketCall::Get { .. }, .. } => 13,
        Operation::Bucket { call: BucketCall::Put { .. }, .. } => 14,
        Operation::Bucket { call: BucketCall::Delete { .. }, .. } => 15,
        Operation::Bucket { call: BucketCall::Copy { .. }, .. } => 16,
        Operation::Bucket { call: BucketCall::List(_), .. } => 17,
        Operation::Bucket { call: BucketCall::Created, .. } => 18,
        Operation::Bucket { call: BucketCall::Create, .. } => 19,
        Operation::Publish { .. } => 20,
        Operation::Secret { .. } => 21,
    }
}

fn reply_number(reply: &Reply) -> usize {
    match reply {
        Reply::KvEntry(_) => 0,
        Reply::KvEntries(_) => 1,
        Reply::KvPage(_) => 2,
        Reply::KvCommitted(_) => 3,
        Reply::Http { .. } => 4,
        Reply::Failed(_) => 5,
        Reply::Summary(_) => 6,
        Reply::QueueSent(_) => 7,
        Reply::StreamAppended(_) => 8,
        Reply::StreamRecords(_) => 9,
        Reply::StreamStats(_) => 10,
        Reply::SqlConnected => 11,
        Reply::SqlRows { .. } => 12,
        Reply::Object(_) => 13,
        Reply::ObjectPage(_) => 14,
        Reply::BucketCreated(_) => 15,
        Reply::BucketMade(_) => 16,
        Reply::Published => 17,
        Reply::Secret(_) => 18,
    }
}

fn answer_number(answer: &Answer) -> usize {
    match answer {
        Answer::Monotonic(_) => 0,
        Answer::Wall(_) => 1,
        Answer::IsReady(_) => 2,
        Answer::Ready(_) => 3,
        Answer::Read(_) => 4,
        Answer::Closed => 5,
        Answer::Broken(_) => 6,
        Answer::Writable(_) => 7,
        Answer::Arrived(_) => 8,
        Answer::Trailers(_) => 9,
        Answer::NoTrailersYet => 10,
    }
}

fn export_of_all() -> Export {
    export_of([calls(), answers(), rest()].concat())
}

fn export_of_services() -> Export {
    export_of(super::golden_services::calls())
}

fn export_of(entries: Vec<Entry>) -> Export {
    let digest = Digest::from_bytes(*blake3::hash(COMPONENT).as_bytes());
    Export {
        journal: Journal { invoke: invoked(digest), entries, incomplete: true, end: end() },
        digest,
        component: COMPONENT.into(),
    }
}

fn invoked(artifact: Digest) -> Invoke {
    let trace = TraceContext {
        trace: TraceId::from_bytes([4; 16]).expect("not zero"),
        span: SpanId::from_bytes([5; 8]).expect("not zero"),
        sampled: true,
    };
    Invoke {
        id: InvocationId::from_parts(1_767_225_600_123, [9; 10]),
        app: "shop".parse().expect("a name"),
        env: "prod".parse().expect("a name"),
        function: "api".parse().expect("a name"),
        revision: RevisionNumber(3),
        artifact,
        engine: "an engine 1".into(),
        request: head("GET", "/ada?x=1"),
        trace,
        at: Timestamp::from_unix_ns(1_767_225_600_123_456_789),
        seed: [7; 32],
        limits: Limits::default(),
        environment: BTreeMap::from([("GREETING".into(), "hello".into())]),
        uses: vec!["kv.sessions".parse().expect("a grant"), "kv.cache:read".parse().expect("a grant")],
    }
}

fn head(method: &str, target: &str) -> RequestHead {
    let (method, target) = (method.into(), target.into());
    RequestHead { method, scheme: "https".into(), authority: "shop.example.com:8443".into(), target, headers: fields() }
}

fn fields() -> Headers {
    vec![("accept".into(), Bytes::from("*/*")), ("x-bytes".into(), Bytes::from_static(&[0xe4, 0xff]))]
}

fn calls() -> Vec<Entry> {
    let (store, key) = (|| "sessions".to_owned(), || Bytes::from("ada"));
    let entry = |expires| kv::Entry { key: key(), value: Bytes::from_static(&[0, 1, 255]), rev: kv::Rev(u64::MAX), expires };
    let forever = entry(None);
    let brief = entry(Some(Timestamp::from_unix_ms(1_767_225_660_000)));
    let put = kv::Write::Put { key: key(), value: Bytes::from("1"), expires: brief.expires };
    let transaction = kv::Transaction {
        conditions: vec![kv::Condition::Absent(key()), kv::Condition::At(key(), kv::Rev(1))],
        writes: vec![put, kv::Write::Delete { key: key() }],
        idempotency: Some(kv::IdempotencyKey("once".into())),
        cause: None,
    };
    let list = |after| Operation::KvList { store: store(), prefix: Bytes::from("a"), after, limit: 100 };
    let failed = Failure { code: Code::E0207, message: "api may not reach example.org".into() };
    let get = || Operation::KvGet { store: store(), key: key() };
    let commit = || Operation::KvCommit { store: store(), transaction: transaction.clone() };
    let pairs = vec![
        (get(), Reply::KvEntry(None)),
        (get(), Reply::KvEntry(Some(forever.clone()))),
        (Operation::KvGetMany { store: store(), keys: vec![key(), key()] }, Reply::KvEntries(vec![None, Some(brief.clone())])),
        (list(None), Reply::KvPage(vec![forever, brief])),
        (list(Some(key())), Reply::Summary("0 keys".into())),
        (commit(), Reply::KvCommitted(kv::Committed::At(kv::Rev(300)))),
        (commit(), Reply::KvCommitted(kv::Committed::Refused { condition: 1 })),
        (Operation::Http { request: head("POST", "/") }, Reply::Http { status: 201, headers: fields() }),
        (Operation::Http { request: head("GET", "/") }, Reply::Failed(failed)),
    ];
    let both = |(number, (operation, reply)): (u32, (Operation, Reply))| {
        let (id, at) = (CallId(number), Elapsed::from_ns(u64::from(number) * 1_000));
        [Entry::Call { id, at, operation }, Entry::Return { id, at: at.plus(Elapsed::from_ns(999)), reply }]
    };
    (0..).zip(pairs).flat_map(both).collect()
}

fn answers() -> Vec<Entry> {
    let all = vec![
        Answer::Monotonic(u64::MAX),
        Answer::Wall(Timestamp::from_unix_ns(1)),
        Answer::IsReady(true),
        Answer::Ready(vec![0, 130]),
        Answer::Read(Bytes::from("chunk")),
        Answer::Closed,
        Answer::Broken("connection reset".into()),
        Answer::Writable(65_536),
        Answer::Arrived(false),
        Answer::Trailers(None),
        Answer::Trailers(Some(fields())),
        Answer::NoTrailersYet,
    ];
    all.into_iter().map(Entry::Answer).collect()
}

fn rest() -> Vec<Entry> {
    let at = Elapsed::from_ns(12_345);
    let line = |level| Entry::Log(LogLine { at, level, context: "stdout".into(), text: "hello \u{1b}[31m ä".into() });
    let others = [
        Entry::GrowDenied { at, wanted: 1 << 30, allowed: 1 << 27 },
        Entry::Refused { at, code: Code::E0207, message: "refused".into() },
        Entry::Respond { at, status: 500, headers: fields() },
    ];
    Level::ALL.into_iter().map(line).chain(others).collect()
}

fn end() -> End {
    let at = Elapsed::from_ns(98_765);
    let usage = Usage {
        requests: 1,
        wall: at,
        cpu: Elapsed::from_ns(45_678),
        memory_peak: ByteCount::mib(2),
        memory_time: u128::from(u64::MAX) + 1,
        bytes_in: ByteCount(1),
        bytes_out: ByteCount(2),
        kv_calls: 7,
        outbound_calls: 2,
        outbound_bytes: ByteCount(3),
        log_bytes: ByteCount(4),
        ..Usage::default()
    };
    let response_body = BodyDigest { bytes: 4, digest: Digest::from_bytes([8; 32]), head: Bytes::from("oops") };
    End { at, outcome: Outcome::Failed { code: Code::E0501, message: "it broke".into(), status: 502 }, usage, response_body }
}
