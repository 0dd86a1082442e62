//! Transactions: over calls, over connections, and in one call.

use std::time::Duration;

use ports::StoreError;
use types::limits;

use super::{SqlFixture, done, int, plain, refused, soon};

pub(super) async fn stay_open_between_calls_and_are_isolated(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let (writer, reader) = (fixture.open().await, fixture.open_reading().await);
    assert!(!writer.in_transaction());
    done(&*writer, "BEGIN").await;
    assert!(writer.in_transaction());
    done(&*writer, "INSERT INTO t VALUES (1)").await;
    assert_eq!(done(&*writer, "SELECT x FROM t").await.rows, [[int(1)]], "it sees its own writes");
    assert!(done(&*reader, "SELECT x FROM t").await.rows.is_empty(), "others don't");
    done(&*writer, "COMMIT").await;
    assert!(!writer.in_transaction());
    assert_eq!(done(&*reader, "SELECT x FROM t").await.rows, [[int(1)]]);
    for text in ["BEGIN IMMEDIATE", "DELETE FROM t", "SAVEPOINT s", "INSERT INTO t VALUES (5)", "ROLLBACK TO s", "ROLLBACK"] {
        done(&*writer, text).await;
    }
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[int(1)]]);
}

pub(super) async fn are_undone_when_the_connection_is_dropped(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let connection = fixture.open().await;
    done(&*connection, "BEGIN").await;
    done(&*connection, "INSERT INTO t VALUES (1)").await;
    drop(connection);
    // The right to write is free again, and no later user finds the transaction.
    for _ in 0..3 {
        let next = fixture.open().await;
        assert!(!next.in_transaction());
        done(&*next, "INSERT INTO t VALUES (2)").await;
    }
    assert_eq!(fixture.rows("SELECT DISTINCT x FROM t").await, [[int(2)]]);
}

pub(super) async fn a_batch_happens_wholly_or_not_at_all(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    let batch = ["CREATE TABLE t (x UNIQUE)", "INSERT INTO t VALUES (1)", "SELECT x FROM t"].map(plain).to_vec();
    let rows = connection.batch(batch, None).await.expect("all are right");
    assert_eq!((rows.len(), rows[1].changed, &rows[2].rows[0][0]), (3, 1, &int(1)));
    let failing = ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (1)"].map(plain).to_vec();
    let refused = connection.batch(failing, None).await;
    assert!(matches!(&refused, Err(StoreError::Rejected(text)) if text.contains("statement 2")), "{refused:?}");
    assert!(!connection.in_transaction());
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[int(1)]]);
    for control in ["COMMIT", "ROLLBACK", "BEGIN"] {
        let refused = connection.batch(["INSERT INTO t VALUES (3)", control].map(plain).to_vec(), None).await;
        assert!(refused.is_err(), "{control}");
        assert_eq!(fixture.rows("SELECT count(*) FROM t").await, [[int(1)]], "{control}");
    }
    let reading = fixture.open_reading().await;
    assert_eq!(reading.batch(vec![plain("SELECT x FROM t")], None).await.expect("it only reads").len(), 1);
    assert!(reading.batch(vec![plain("INSERT INTO t VALUES (4)")], None).await.is_err());
}

pub(super) async fn a_batch_inside_a_transaction_is_part_of_it(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x UNIQUE)"]).await;
    let connection = fixture.open().await;
    done(&*connection, "BEGIN").await;
    done(&*connection, "INSERT INTO t VALUES (1)").await;
    let failing = ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (1)"].map(plain).to_vec();
    assert!(connection.batch(failing, None).await.is_err());
    assert!(connection.in_transaction(), "what was before it is still open");
    connection.batch(vec![plain("INSERT INTO t VALUES (3)")], None).await.expect("it is right");
    done(&*connection, "COMMIT").await;
    assert_eq!(fixture.rows("SELECT x FROM t ORDER BY x").await, [[int(1)], [int(3)]]);
}

pub(super) async fn writers_wait_for_one_another(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)", "INSERT INTO t VALUES (0)"]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let connection = fixture.open().await;
        tasks.spawn(async move {
            for _ in 0..10 {
                for text in ["BEGIN IMMEDIATE", "UPDATE t SET x = x + 1", "COMMIT"] {
                    done(&*connection, text).await;
                }
            }
        });
    }
    while let Some(ended) = soon("a writer's end", tasks.join_next()).await {
        ended.expect("it does not panic");
    }
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[int(80)]]);
}

pub(super) async fn a_writer_that_read_something_old_is_told(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)", "INSERT INTO t VALUES (0)"]).await;
    let late = fixture.open().await;
    done(&*late, "BEGIN").await;
    done(&*late, "SELECT x FROM t").await;
    fixture.run(&["UPDATE t SET x = 1"]).await;
    let error = refused(&*late, "UPDATE t SET x = x + 10").await;
    assert!(matches!(error, StoreError::Changed(_)), "{error:?}");
    done(&*late, "ROLLBACK").await;
    done(&*late, "UPDATE t SET x = x + 10").await;
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[int(11)]]);
}

pub(super) async fn who_waits_too_long_to_write_is_told(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let holder = fixture.open().await;
    done(&*holder, "BEGIN IMMEDIATE").await;
    let waiting = fixture.open().await;
    let waits = tokio::spawn(async move { waiting.run(plain("INSERT INTO t VALUES (1)"), None).await });
    // It waits by the clock: time passes until it has begun to and is over.
    let passes = async {
        while !waits.is_finished() {
            fixture.clock.advance(limits::SQL_TIME + Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the end of the wait", passes).await;
    let error = waits.await.expect("it does not panic").expect_err("it may not write");
    assert!(matches!(&error, StoreError::Failed(text) if text.contains("busy")), "{error:?}");
    assert!(fixture.rows("SELECT x FROM t").await.is_empty(), "reading goes on");
}
