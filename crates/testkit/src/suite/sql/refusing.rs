//! What no app may do, and what a reading one may not.

use ports::{SqlConnection, StoreError};

use super::{SqlFixture, done, int, refused};

async fn denied(connection: &dyn SqlConnection, text: &str) {
    let error = refused(connection, text).await;
    assert!(matches!(error, StoreError::Denied(_)), "{text}: {error:?}");
}

pub(super) async fn nothing_outside_the_database_is_reached(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    done(&*connection, "CREATE TABLE t (x)").await;
    for text in [
        "ATTACH '/tmp/other.sqlite' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "VACUUM INTO '/tmp/copy.sqlite'",
        "VACUUM",
        "SELECT load_extension('x')",
        "PRAGMA database_list",
        "SELECT * FROM pragma_database_list",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = OFF",
        "PRAGMA user_version = 7",
        "PRAGMA main.cache_size = 100000000",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA query_only = OFF",
        "PRAGMA foreign_keys = OFF",
        "CREATE VIRTUAL TABLE v USING dbstat(main)",
    ] {
        denied(&*connection, text).await;
    }
    assert!(
        refused(&*connection, "UPDATE sqlite_master SET sql = '' WHERE name = 't'").await.to_string().contains("sqlite_master")
    );
    for text in ["PRAGMA table_info(t)", "PRAGMA user_version", "SELECT name FROM pragma_table_list"] {
        done(&*connection, text).await;
    }
    // What databases offer beyond tables is there.
    for text in [
        "CREATE VIRTUAL TABLE words USING fts5(body)",
        "INSERT INTO words VALUES ('the quick fox')",
        "SELECT * FROM words WHERE words MATCH 'quick'",
        "DROP TABLE words",
        "CREATE VIEW v AS SELECT x FROM t",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x)",
        "INSERT INTO counted (x) VALUES (1)",
        "DROP TABLE counted",
        "CREATE TEMP TABLE own AS SELECT 1 AS x",
        "SELECT json_object('a', 1), date('2026-01-01')",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t WHERE x < 0; END",
        "ANALYZE",
        "REINDEX",
    ] {
        done(&*connection, text).await;
    }
    drop(connection);
    assert!(refused(&*fixture.open().await, "SELECT * FROM own").await.to_string().contains("own"), "a temporary table ends");
}

pub(super) async fn reading_connections_do_not_write(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"]).await;
    let reader = fixture.open_reading().await;
    for text in [
        "INSERT INTO t VALUES (2)",
        "UPDATE t SET x = 2",
        "DELETE FROM t",
        "DELETE FROM t RETURNING x",
        "CREATE TABLE u (x)",
        "DROP TABLE t",
        "ALTER TABLE t ADD COLUMN y",
        "CREATE TEMP TABLE u (x)",
        "REINDEX",
        "BEGIN IMMEDIATE",
        "PRAGMA query_only = OFF",
        "WITH w AS (SELECT 1) INSERT INTO t SELECT * FROM w",
    ] {
        denied(&*reader, text).await;
    }
    for text in ["BEGIN", "SELECT x FROM t", "COMMIT", "EXPLAIN QUERY PLAN SELECT * FROM t"] {
        done(&*reader, text).await;
    }
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[int(1)]]);
}

pub(super) async fn tables_of_the_platform_are_not_for_apps(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    done(&*connection, "CREATE TABLE t (x)").await;
    for text in [
        "SELECT * FROM _dayfly_change",
        "SELECT * FROM main._DAYFLY_migration",
        "DELETE FROM _dayfly_migration",
        "INSERT INTO _dayfly_capture VALUES ('x')",
        "UPDATE _dayfly_forgotten SET upto = 1000",
        "DROP TABLE _dayfly_change",
        "ALTER TABLE _dayfly_change ADD COLUMN x",
        "ALTER TABLE t RENAME TO _dayfly_mine",
        "CREATE TABLE _dayfly_mine (x)",
        "CREATE INDEX i ON _dayfly_change (tbl)",
        "CREATE TRIGGER g AFTER INSERT ON _dayfly_change BEGIN SELECT 1; END",
        "CREATE TRIGGER _dayfly_g AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TEMP TABLE _dayfly_change (seq, tbl, op, columns, old, new, cause)",
        "SELECT _dayfly_cause()",
        // What a query calls itself opens nothing.
        "WITH _dayfly_0_0 AS (SELECT * FROM _dayfly_change) SELECT * FROM _dayfly_0_0",
        "WITH _dayfly_0_0 AS (SELECT load_extension('x')) SELECT * FROM _dayfly_0_0",
        "SELECT * FROM (SELECT * FROM _dayfly_change) AS _dayfly_0_0",
        "WITH _dayfly_0_0 AS (SELECT 1 UNION SELECT count(*) FROM _dayfly_migration) INSERT INTO t SELECT * FROM _dayfly_0_0",
    ] {
        match refused(&*connection, text).await {
            StoreError::Denied(_) | StoreError::Rejected(_) => {}
            other => panic!("{text}: {other:?}"),
        }
    }
    // A view or a trigger of an app reaches no further than the app.
    for (make, name) in [
        ("CREATE VIEW w AS SELECT * FROM _dayfly_change", "SELECT * FROM w"),
        ("CREATE TRIGGER h AFTER INSERT ON t BEGIN DELETE FROM _dayfly_change; END", "INSERT INTO t VALUES (1)"),
    ] {
        if connection.run(super::plain(make), None).await.is_ok() {
            denied(&*connection, name).await;
        }
    }
}

pub(super) async fn one_statement_at_a_time(fixture: &SqlFixture) {
    let connection = fixture.open().await;
    let error = refused(&*connection, "SELECT 1; SELECT 2").await;
    assert!(matches!(error, StoreError::Rejected(_)), "{error:?}");
    done(&*connection, "SELECT 1; -- and no more").await;
}
