//! Migrations.

use ports::{StoreError, sql::Migration};

use super::{SqlFixture, int, text};

pub(super) fn migration(name: &str, sql: &str) -> Migration {
    Migration { name: name.into(), sql: sql.into() }
}

pub(super) async fn applies_what_is_missing_in_order(fixture: &SqlFixture) {
    let (sql, database) = (&fixture.sql, fixture.database());
    let second = migration("0002_b.sql", "INSERT INTO t VALUES ('a;b'); -- two\n CREATE INDEX i ON t (x);");
    let first = migration("0001_a.sql", "CREATE TABLE t (x); CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; SELECT 2; END;");
    assert_eq!(sql.migrated(database).await.expect("readable"), []);
    let applied = sql.migrate(database, &[second.clone(), first.clone()]).await.expect("they are right");
    assert_eq!(applied, ["0001_a.sql", "0002_b.sql"], "by name, not as given");
    assert_eq!(fixture.rows("SELECT x FROM t").await, [[text("a;b")]]);
    let third = migration("0003_c.sql", "");
    let all = [first.clone(), second.clone(), third.clone()];
    assert_eq!(sql.migrate(database, &all).await.expect("it is right"), ["0003_c.sql"]);
    assert_eq!(sql.migrate(database, &all).await.expect("nothing is left"), Vec::<String>::new());
    assert_eq!(sql.migrated(database).await.expect("readable"), all);
    assert_eq!(sql.migrate(database, &[first]).await.expect("older code has fewer"), Vec::<String>::new());
}

pub(super) async fn refuses_changed_and_late_ones(fixture: &SqlFixture) {
    let (sql, database) = (&fixture.sql, fixture.database());
    sql.migrate(database, &[migration("2", "CREATE TABLE t (x)")]).await.expect("it is right");
    for (wanted, words) in [
        (vec![migration("2", "CREATE TABLE t (x, y)")], "another text"),
        (vec![migration("1", "SELECT 1"), migration("2", "CREATE TABLE t (x)")], "before"),
        (vec![migration("3", "SELECT 1"), migration("3", "SELECT 2")], "twice"),
    ] {
        let refused = sql.migrate(database, &wanted).await;
        assert!(matches!(&refused, Err(StoreError::Conflict(text)) if text.contains(words)), "{refused:?}");
    }
    assert_eq!(sql.migrated(database).await.expect("readable").len(), 1);
}

pub(super) async fn a_failing_one_leaves_those_before(fixture: &SqlFixture) {
    let (sql, database) = (&fixture.sql, fixture.database());
    let wanted = [
        migration("1", "CREATE TABLE t (x)"),
        migration("2", "INSERT INTO t VALUES (1); INSERT INTO missing VALUES (1)"),
        migration("3", "CREATE TABLE u (x)"),
    ];
    let refused = sql.migrate(database, &wanted).await;
    assert!(
        matches!(&refused, Err(StoreError::Rejected(text)) if text.contains("migration 2") && text.contains("missing")),
        "{refused:?}"
    );
    assert_eq!(sql.migrated(database).await.expect("readable").len(), 1);
    assert_eq!(fixture.rows("SELECT count(*) FROM t").await, [[int(0)]], "the failed one is wholly undone");
    let mended = [wanted[0].clone(), migration("2", "INSERT INTO t VALUES (1)"), wanted[2].clone()];
    assert_eq!(sql.migrate(database, &mended).await.expect("they are right"), ["2", "3"]);
}

pub(super) async fn does_not_end_its_own_transaction(fixture: &SqlFixture) {
    let (sql, database) = (&fixture.sql, fixture.database());
    for text in
        ["CREATE TABLE t (x); COMMIT; CREATE TABLE u (x)", "CREATE TABLE t (x); ROLLBACK", "DELETE FROM _dayfly_migration"]
    {
        let refused = sql.migrate(database, &[migration("1", text)]).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{text}: {refused:?}");
    }
    assert!(fixture.rows("SELECT name FROM sqlite_master WHERE name IN ('t', 'u')").await.is_empty());
}
