//! Dumps and restores.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use ports::{Body, StoreError, sql::DatabaseName};

use super::{SqlFixture, done, int, migrating::migration, refused};

impl SqlFixture {
    async fn dump(&self) -> Bytes {
        let body = self.sql.dump(self.database()).await.expect("it can be dumped");
        body.collect().await.expect("it comes whole").to_bytes()
    }
    async fn restore(&self, bytes: Bytes) -> Result<(), StoreError> {
        self.sql.restore(self.database(), Body::from(bytes)).await
    }
}

pub(super) async fn a_dump_is_restored_as_it_was(fixture: &SqlFixture) {
    let missing = fixture.sql.dump(fixture.database()).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))), "there is none yet");
    fixture.sql.migrate(fixture.database(), &[migration("1", "CREATE TABLE t (x)")]).await.expect("it is right");
    fixture.run(&["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (zeroblob(300000))"]).await;
    let writer = fixture.open().await;
    done(&*writer, "BEGIN").await;
    done(&*writer, "INSERT INTO t VALUES (2)").await;
    let dump = fixture.dump().await;
    done(&*writer, "COMMIT").await;
    assert!(dump.starts_with(b"SQLite format 3\0") && dump.len() > 300_000);
    fixture.run(&["DELETE FROM t", "CREATE TABLE u (x)"]).await;
    drop(writer);
    fixture.restore(dump.clone()).await.expect("it is whole");
    assert_eq!(fixture.rows("SELECT length(x) FROM t ORDER BY 1").await, [[int(1)], [int(300_000)]], "from one moment");
    assert!(fixture.rows("SELECT 1 FROM sqlite_master WHERE name = 'u'").await.is_empty());
    assert_eq!(fixture.sql.migrated(fixture.database()).await.expect("readable").len(), 1);
    fixture.run(&["INSERT INTO t VALUES (3)"]).await;
    // Into another one, which is new.
    let other = &fixture.databases[1];
    fixture.sql.restore(other, Body::from(dump)).await.expect("it is whole");
    let connection = fixture.sql.connect(other, ports::sql::SqlAccess::Read).await.expect("it can be opened");
    assert_eq!(done(&*connection, "SELECT count(*) FROM t").await.rows, [[int(2)]]);
}

pub(super) async fn what_is_no_database_changes_nothing(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (zeroblob(100000))"]).await;
    let dump = fixture.dump().await;
    let mut holed = BytesMut::from(&dump[..]);
    holed[8_192..40_960].fill(0xff);
    for bad in [Bytes::new(), Bytes::from("this is no database at all".repeat(400)), dump.slice(..dump.len() / 2), holed.freeze()]
    {
        let length = bad.len();
        let refused = fixture.restore(bad).await;
        assert!(matches!(refused, Err(StoreError::Damaged(_))), "{length} bytes: {refused:?}");
        assert_eq!(fixture.rows("SELECT count(*) FROM t").await, [[int(2)]]);
    }
}

pub(super) async fn open_connections_fail_after_a_restore(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let dump = fixture.dump().await;
    let before = fixture.open().await;
    done(&*before, "INSERT INTO t VALUES (1)").await;
    fixture.restore(dump).await.expect("it is whole");
    let error = refused(&*before, "SELECT 1").await;
    assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
    drop(before);
    assert!(fixture.rows("SELECT x FROM t").await.is_empty());
}

pub(super) async fn changes_that_nobody_took_outlive_a_restore(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let dump = fixture.dump().await;
    fixture.sql.capture(fixture.database(), &["t".into()]).await.expect("it can be captured");
    fixture.run(&["INSERT INTO t VALUES (1)"]).await;
    let before = fixture.changes(0).await;
    fixture.restore(dump).await.expect("it is whole");
    assert_eq!(fixture.changes(0).await, before);
    fixture.run(&["INSERT INTO t VALUES (2)"]).await;
    let after = fixture.changes(before[0].0.sequence).await;
    assert_eq!(after.len(), 1, "the table is still captured, and sequences went on");
}

pub(super) async fn lists_databases_by_prefix(fixture: &SqlFixture) {
    for database in &fixture.databases {
        let connection = fixture.sql.connect(database, ports::sql::SqlAccess::ReadWrite).await.expect("it can be opened");
        done(&*connection, "CREATE TABLE t (x)").await;
    }
    let list = |prefix: &'static str| async move { fixture.sql.databases(prefix).await.expect("readable") };
    let [first, second] = fixture.databases.clone();
    assert_eq!(list("shop/dev/").await, [first.clone(), second]);
    assert_eq!(list("shop/dev/f").await, [first]);
    assert_eq!(list("other/").await, Vec::<DatabaseName>::new());
}
