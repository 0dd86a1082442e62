//! Databases on the disk: damage to one is an error of that one, and a restore mends it.

use std::{fs, path::Path, sync::Arc};

use http_body_util::BodyExt as _;
use ports::{
    Body, StoreError,
    sql::{DatabaseName, Rows, SqlAccess, SqlValue, Statement},
};
use store_embedded::EmbeddedStore;
use testkit::TestClock;

fn open(dir: &Path) -> EmbeddedStore {
    EmbeddedStore::open(dir, Arc::new(TestClock::new())).expect("the folder opens")
}

fn name(name: &str) -> DatabaseName {
    DatabaseName(format!("shop/dev/{name}"))
}

async fn run(store: &EmbeddedStore, database: &str, text: &str) -> Result<Rows, StoreError> {
    let connection = store.sql().connect(&name(database), SqlAccess::ReadWrite).await?;
    connection.run(Statement { text: text.into(), parameters: vec![] }, None).await
}

async fn done(store: &EmbeddedStore, database: &str, text: &str) -> Vec<Vec<SqlValue>> {
    run(store, database, text).await.unwrap_or_else(|error| panic!("{text}: {error}")).rows
}

const FILL: &str = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    SELECT i, hex(randomblob(50)) FROM n";

/// A folder with two databases of some pages, closed; and a dump of the first.
async fn two_databases() -> (tempfile::TempDir, bytes::Bytes) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path());
    for database in ["first", "second"] {
        done(&store, database, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)").await;
        done(&store, database, FILL).await;
    }
    let dump = store.sql().dump(&name("first")).await.expect("it can be dumped");
    (dir, dump.collect().await.expect("it comes whole").to_bytes())
}

#[tokio::test]
async fn a_damaged_page_is_an_error_of_that_database_only() {
    let (dir, dump) = two_databases().await;
    let file = dir.path().join("sql/shop/dev/first.sqlite");
    let whole = fs::read(&file).expect("readable");
    // The heads of pages inside the table, then the head of the file, then all of it.
    let pages = || (10..whole.len() / 4096).map(|page| page * 4096..page * 4096 + 8).collect::<Vec<_>>();
    let one = |place: std::ops::Range<usize>| Vec::from([place]);
    for places in [pages(), one(0..100), one(0..whole.len())] {
        let mut bytes = whole.clone();
        places.iter().for_each(|place| bytes[place.clone()].fill(0xa5));
        fs::write(&file, bytes).expect("writable");
        let store = open(dir.path());
        let damaged = run(&store, "first", "SELECT sum(length(x)) FROM t").await;
        assert!(matches!(damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
        assert_eq!(done(&store, "second", "SELECT count(*) FROM t").await, [[SqlValue::Integer(2_000)]]);
        done(&store, "second", "UPDATE t SET x = 'new' WHERE id = 1").await;
        store.sql().restore(&name("first"), Body::from(dump.clone())).await.expect("it is whole");
        assert_eq!(done(&store, "first", "SELECT count(*) FROM t").await, [[SqlValue::Integer(2_000)]]);
        done(&store, "first", "DELETE FROM t WHERE id > 1000").await;
        drop(store);
        let store = open(dir.path());
        assert_eq!(done(&store, "first", "SELECT count(*) FROM t").await, [[SqlValue::Integer(1_000)]]);
    }
}

#[tokio::test]
async fn many_databases_are_open_by_turns() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = open(dir.path());
    for round in 0..2 {
        for database in 0..100 {
            let database = format!("d{database}");
            done(&store, &database, "CREATE TABLE IF NOT EXISTS t (x)").await;
            done(&store, &database, "INSERT INTO t VALUES (1)").await;
            assert_eq!(done(&store, &database, "SELECT count(*) FROM t").await, [[SqlValue::Integer(round + 1)]]);
        }
    }
    assert_eq!(store.sql().databases("shop/dev/d").await.expect("readable").len(), 100);
    let files = fs::read_dir("/proc/self/fd").expect("this is Linux").count();
    assert!(files < 600, "{files} files are open");
}

#[tokio::test]
async fn what_a_restore_left_behind_is_removed_at_start() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let leftover = dir.path().join("sql/.tmp/7");
    fs::create_dir_all(leftover.parent().expect("it has one")).expect("writable");
    fs::write(&leftover, "half").expect("writable");
    let store = open(dir.path());
    assert!(!leftover.exists());
    assert_eq!(store.sql().databases("").await.expect("readable"), []);
}
