//! What the victim of the crash tests does with databases, secrets and streams, and what must be left of it.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use ports::{
    Body,
    log::{Partition, Record, Sequence, StreamName},
    secrets::SecretValue,
    sql::{DatabaseName, RowChanged, SqlAccess, SqlValue, Statement},
};
use store_embedded::EmbeddedStore;
use types::trigger::RowChange;

use crate::victim::app_key;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS t (id TEXT PRIMARY KEY)";
const MARK: &str = "CREATE TABLE IF NOT EXISTS mark (x)";

fn database(name: &str) -> DatabaseName {
    DatabaseName(format!("crash/dev/{name}"))
}

fn stream() -> StreamName {
    StreamName("crash/dev/events".into())
}

async fn run_sql(store: &EmbeddedStore, name: &str, text: &str, parameters: Vec<SqlValue>) -> Vec<Vec<SqlValue>> {
    let connection = store.sql().connect(&database(name), SqlAccess::ReadWrite).await.expect("it can be opened");
    connection.run(Statement { text: text.into(), parameters }, None).await.expect("it is right").rows
}

/// Writes to a database, the secrets and a stream by turns, and writes a database over, noting each step before and after.
pub(crate) async fn run(store: Arc<EmbeddedStore>, folder: std::path::PathBuf, generation: usize, rounds: u64) {
    let notes = File::options().create(true).append(true).open(folder.join("ledger")).expect("notes can be taken");
    let note = |line: String| (&notes).write_all(format!("{line}\n").as_bytes()).expect("notes can be taken");
    run_sql(&store, "rows", TABLE, vec![]).await;
    run_sql(&store, "copy", MARK, vec![]).await;
    store.sql().capture(&database("rows"), &["t".into()]).await.expect("it can be captured");
    for round in 0..rounds {
        let id = format!("{generation}-{round}");
        note(format!("begin {id}"));
        run_sql(&store, "rows", "INSERT INTO t VALUES (?1)", vec![SqlValue::Text(id.clone())]).await;
        note(format!("row {id}"));
        store.secrets().set(&app_key(), "token", SecretValue(id.clone().into_bytes())).await.expect("there is room");
        note(format!("secret {id}"));
        let record = Record { body: id.clone().into(), dedup: Some(id.clone().into()), ..Record::default() };
        store.log().append(&stream(), vec![record], None).await.expect("there is room");
        note(format!("record {id}"));
        store.secrets().rewrap().await.expect("it can be done");
        copy(&store, &id).await;
        note(format!("copy {id}"));
    }
}

/// Marks a database, dumps it, marks it otherwise, and restores the dump: the first mark is there again.
async fn copy(store: &EmbeddedStore, id: &str) {
    let mark = async |text: &str| {
        run_sql(store, "copy", "DELETE FROM mark", vec![]).await;
        run_sql(store, "copy", "INSERT INTO mark VALUES (?1)", vec![SqlValue::Text(text.into())]).await;
    };
    mark(id).await;
    let dump = store.sql().dump(&database("copy")).await.expect("it can be dumped");
    let dump = dump.collect().await.expect("it comes whole").to_bytes();
    mark("another").await;
    store.sql().restore(&database("copy"), Body::from(dump)).await.expect("it is whole");
}

/// Compares what is there with what was noted. Empty is good.
pub(crate) async fn examine(store: &EmbeddedStore, folder: &Path) -> Vec<String> {
    let notes = fs::read_to_string(folder.join("ledger")).unwrap_or_default();
    let noted = |what: &str| -> Vec<String> {
        let lines = notes.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        lines.filter_map(|line| line.strip_prefix(what)?.strip_prefix(' ')).map(str::to_owned).collect()
    };
    let begun = noted("begin");
    let mut violations = Vec::new();
    for name in ["rows", "copy"] {
        let found = run_sql(store, name, "PRAGMA integrity_check", vec![]).await;
        if found != [[SqlValue::Text("ok".into())]] {
            violations.push(format!("the database {name} is not whole: {found:?}"));
        }
    }
    violations.extend(examine_rows(store, &begun, &noted("row")).await);
    violations.extend(examine_secret(store, &begun, &noted("secret")).await);
    violations.extend(examine_records(store, &begun, &noted("record")).await);
    violations.extend(examine_copy(store, &begun, &noted("copy")).await);
    violations
}

/// Each row that was told of is there, and each row that is there was noted as a change, once.
async fn examine_rows(store: &EmbeddedStore, begun: &[String], told: &[String]) -> Vec<String> {
    run_sql(store, "rows", TABLE, vec![]).await;
    let text = |value: &SqlValue| if let SqlValue::Text(text) = value { text.clone() } else { format!("{value:?}") };
    let rows = run_sql(store, "rows", "SELECT id FROM t ORDER BY rowid", vec![]).await;
    let rows: Vec<String> = rows.iter().map(|row| text(&row[0])).collect();
    let changes = store.sql().changes(&database("rows"), 0, 100_000).await.expect("readable");
    let inserted = |change: &RowChanged| match (change.change, &change.new) {
        (RowChange::Insert, Some(new)) => text(&new[0]),
        _ => format!("{change:?}"),
    };
    let changes: Vec<String> = changes.iter().map(|(change, _)| inserted(change)).collect();
    let mut violations: Vec<String> =
        told.iter().filter(|id| !rows.contains(id)).map(|id| format!("row {id} was told of and is gone")).collect();
    if rows != changes {
        violations.push(format!("the rows are {rows:?} and the changes {changes:?}"));
    }
    violations.extend(rows.iter().filter(|id| !begun.contains(id)).map(|id| format!("row {id} was never begun")));
    violations
}

async fn examine_secret(store: &EmbeddedStore, begun: &[String], told: &[String]) -> Option<String> {
    let found = store.secrets().get(&app_key(), "token").await.expect("it opens under some key");
    let found = found.map(|(_, value)| String::from_utf8(value.0).expect("text"));
    let place = |id: Option<&String>| id.and_then(|id| begun.iter().position(|begun| begun == id));
    (place(found.as_ref()) < place(told.last())).then(|| format!("the secret was set to {:?} and is {found:?}", told.last()))
}

/// Each record that was told of is there; after repeating all of them each is there once.
async fn examine_records(store: &EmbeddedStore, begun: &[String], told: &[String]) -> Vec<String> {
    let read = async || {
        let all = store.log().read(&stream(), Partition(0), Sequence(0), 10_000, Duration::ZERO).await.expect("readable");
        all.into_iter().map(|found| String::from_utf8(found.record.body.to_vec()).expect("text")).collect::<Vec<_>>()
    };
    let found = read().await;
    let mut violations: Vec<String> =
        told.iter().filter(|id| !found.contains(id)).map(|id| format!("record {id} was told of and is gone")).collect();
    for id in begun {
        let id = Bytes::from(id.clone());
        let record = Record { body: id.clone(), dedup: Some(id), ..Record::default() };
        store.log().append(&stream(), vec![record], None).await.expect("there is room");
    }
    let mut after = read().await;
    after.sort();
    let mut wanted = begun.to_vec();
    wanted.sort();
    if after != wanted {
        violations.push(format!("after a repetition the records are {after:?} and not {wanted:?}"));
    }
    violations
}

async fn examine_copy(store: &EmbeddedStore, begun: &[String], told: &[String]) -> Option<String> {
    run_sql(store, "copy", MARK, vec![]).await;
    let found = run_sql(store, "copy", "SELECT x FROM mark", vec![]).await;
    // A round that was begun after the last one that ended may have left any of its steps.
    let is_settled = begun.last() == told.last();
    let wanted: Vec<Vec<SqlValue>> = told.last().map(|id| vec![SqlValue::Text(id.clone())]).into_iter().collect();
    (is_settled && found != wanted).then(|| format!("the restored database has {found:?} and not {wanted:?}"))
}
