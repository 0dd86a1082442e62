//! Statements and values.

use bytes::Bytes;
use ports::{
    StoreError,
    sql::{DatabaseName, SqlAccess, SqlValue},
};

use super::{SqlFixture, done, int, plain, refused, statement, text};

pub(super) async fn values_come_back_as_they_were(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    done(&*connection, "CREATE TABLE t (a, b, c, d, e)").await;
    let values = vec![
        SqlValue::Null,
        int(i64::MIN),
        SqlValue::Real(-0.1),
        text("naïve\0 ☃"),
        SqlValue::Blob(Bytes::from_static(&[0, 255, 1])),
    ];
    connection.run(statement("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)", values.clone()), None).await.expect("it is right");
    let rows = done(&*connection, "SELECT a, b, c AS x, d, e FROM t").await;
    assert_eq!(rows.columns, ["a", "b", "x", "d", "e"]);
    assert_eq!(rows.rows, [values]);
    let empty = vec![text(""), SqlValue::Blob(Bytes::new())];
    let again = connection.run(statement("SELECT ?1, ?2", empty.clone()), None).await.expect("it is right");
    assert_eq!(again.rows, [empty], "empty is not null");
}

pub(super) async fn counts_what_changed(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    let made = done(&*connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)").await;
    assert_eq!((made.changed, made.last_insert), (0, 0));
    let inserted = done(&*connection, "INSERT INTO t (x) VALUES (1), (2), (3)").await;
    assert_eq!((inserted.changed, inserted.last_insert), (3, 3));
    assert_eq!(done(&*connection, "UPDATE t SET x = 9 WHERE id < 3").await.changed, 2);
    assert_eq!(done(&*connection, "SELECT * FROM t").await.changed, 0, "reading changes nothing");
    assert_eq!(done(&*connection, "SELECT last_insert_rowid()").await.rows, [[int(3)]]);
    drop(connection);
    let other = fixture.open().await;
    assert_eq!(done(&*other, "SELECT last_insert_rowid()").await.rows, [[int(0)]], "a connection starts afresh");
    let returned = done(&*other, "DELETE FROM t WHERE id > 1 RETURNING id").await;
    assert_eq!((returned.changed, returned.rows.len()), (2, 2));
    assert_eq!(fixture.rows("SELECT id FROM t").await, [[int(1)]]);
}

pub(super) async fn statements_that_are_wrong_are_rejected_in_the_engines_words(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    done(&*connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT UNIQUE NOT NULL) STRICT").await;
    done(&*connection, "INSERT INTO t (x) VALUES ('a')").await;
    for (wrong, words) in [
        ("SELEC 1", "syntax"),
        ("SELECT * FROM missing", "missing"),
        ("INSERT INTO t (x) VALUES ('a')", "UNIQUE"),
        ("INSERT INTO t (x) VALUES (NULL)", "NOT NULL"),
        ("", ""),
        ("-- nothing", ""),
    ] {
        let error = refused(&*connection, wrong).await;
        assert!(matches!(&error, StoreError::Rejected(text) if text.contains(words)), "{wrong}: {error:?}");
    }
    let unfit = connection.run(statement("SELECT ?1", vec![]), None).await;
    assert!(matches!(&unfit, Err(StoreError::Rejected(_))), "{unfit:?}");
    assert_eq!(done(&*connection, "SELECT count(*) FROM t").await.rows, [[int(1)]], "the connection goes on");
}

pub(super) async fn databases_share_nothing(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    let other = fixture.sql.connect(&fixture.databases[1], SqlAccess::ReadWrite).await.expect("it can be opened");
    assert!(matches!(refused(&*other, "SELECT * FROM t").await, StoreError::Rejected(_)));
    other.run(plain("CREATE TABLE t (y)"), None).await.expect("it is another one");
    assert_eq!(fixture.rows("SELECT name FROM pragma_table_info('t')").await, [[text("x")]]);
}

pub(super) async fn names_of_databases_stay_in_their_folder(fixture: &SqlFixture) {
    for bad in ["", "../../x", "a/../b", "a/b/c/d", "a/b/c.d", "/a/b"] {
        let name = DatabaseName(bad.into());
        let outcome = match fixture.sql.connect(&name, SqlAccess::ReadWrite).await {
            Ok(connection) => connection.run(plain("SELECT 1"), None).await.err(),
            Err(error) => Some(error),
        };
        assert!(outcome.is_some(), "{bad:?} was opened");
    }
}
