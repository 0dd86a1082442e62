//! Bounds on what a statement may give and take.

use std::time::Duration;

use ports::StoreError;
use types::{Code, limits};

use super::{SqlFixture, done, int, plain, refused, soon};

fn counting(rows: usize) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n")
}

pub(super) async fn rows_are_bounded(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    assert_eq!(done(&*connection, &counting(limits::SQL_ROWS)).await.rows.len(), limits::SQL_ROWS);
    let error = refused(&*connection, &counting(limits::SQL_ROWS + 1)).await;
    assert!(matches!(&error, StoreError::TooMany { what: "rows", .. }) && error.code() == Code::E0611, "{error:?}");
    done(&*connection, "SELECT 1").await;
}

pub(super) async fn bytes_are_bounded(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    let half = limits::SQL_BYTES.0 / 2;
    assert_eq!(done(&*connection, &format!("SELECT zeroblob({half})")).await.rows.len(), 1);
    let error = refused(&*connection, &format!("SELECT zeroblob({half}) UNION ALL SELECT zeroblob({half})")).await;
    assert!(matches!(&error, StoreError::TooLarge { what: "rows", .. }) && error.code() == Code::E0611, "{error:?}");
    let huge = refused(&*connection, "SELECT length(zeroblob(1000000000))").await;
    assert!(matches!(&huge, StoreError::Rejected(_)), "{huge:?}");
}

pub(super) async fn what_returned_too_much_did_not_happen(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    done(&*connection, "CREATE TABLE t (x)").await;
    let rows = limits::SQL_ROWS + 1;
    let insert = format!("INSERT INTO t {} RETURNING x", counting(rows));
    assert!(matches!(refused(&*connection, &insert).await, StoreError::TooMany { .. }));
    assert!(!connection.in_transaction());
    assert_eq!(fixture.rows("SELECT count(*) FROM t").await, [[int(0)]]);
    done(&*connection, "BEGIN").await;
    done(&*connection, "INSERT INTO t VALUES (1)").await;
    assert!(matches!(refused(&*connection, &insert).await, StoreError::TooMany { .. }));
    done(&*connection, "COMMIT").await;
    assert_eq!(fixture.rows("SELECT count(*) FROM t").await, [[int(1)]], "what was before it stays");
}

pub(super) async fn time_is_bounded(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let connection = fixture.open().await;
    let endless = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let runs = tokio::spawn(async move {
        let error = refused(&*connection, endless).await;
        done(&*connection, "INSERT INTO t VALUES (1)").await;
        error
    });
    let passes = async {
        while !runs.is_finished() {
            fixture.clock.advance(limits::SQL_TIME + Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the end of an endless statement", passes).await;
    let error = runs.await.expect("it does not panic");
    assert!(matches!(&error, StoreError::Rejected(text) if text.contains("10")), "{error:?}");
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[int(1)]]);
}

pub(super) async fn texts_and_batches_are_bounded(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    let long = format!("SELECT 1 -- {}", "x".repeat(usize::try_from(limits::SQL_STATEMENT.0).expect("small")));
    assert!(matches!(refused(&*connection, &long).await, StoreError::TooLarge { what: "statement", .. }));
    let many = vec![plain("SELECT 1"); limits::SQL_BATCH + 1];
    assert!(matches!(connection.batch(many, None).await, Err(StoreError::TooMany { .. })));
    let rows = plain(&counting(limits::SQL_ROWS));
    let both = connection.batch(vec![rows.clone(), rows], None).await;
    assert!(matches!(both, Err(StoreError::TooMany { what: "rows", .. })), "a batch has the bounds of a statement");
}
