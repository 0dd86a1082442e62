//! Row changes.

use ports::sql::{RowChanged, SqlValue};
use types::{
    Cause,
    trace::{SpanId, TraceContext, TraceId},
    trigger::RowChange,
};

use super::{SqlFixture, done, int, migrating::migration, plain, soon, text};

impl SqlFixture {
    async fn capture(&self, tables: &[&str]) {
        let tables: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
        self.sql.capture(self.database(), &tables).await.expect("it can be captured");
    }
    pub(super) async fn changes(&self, above: u64) -> Vec<(RowChanged, Option<Cause>)> {
        self.sql.changes(self.database(), above, 10_000).await.expect("readable")
    }
    /// What was noted above, in short: table, what happened, old and new row.
    async fn noted(&self, above: u64) -> Vec<(String, RowChange, Option<Vec<SqlValue>>, Option<Vec<SqlValue>>)> {
        let changes = self.changes(above).await.into_iter();
        changes.map(|(change, _)| (change.table, change.change, change.old, change.new)).collect()
    }
    async fn newest(&self) -> u64 {
        self.changes(0).await.last().map_or(0, |(change, _)| change.sequence)
    }
}

fn cause(depth: u32) -> Cause {
    let trace = TraceId::from_bytes([7; 16]).expect("not zero");
    let span = SpanId::from_bytes([9; 8]).expect("not zero");
    Cause { trace: TraceContext { trace, span, sampled: true }, depth }
}

pub(super) async fn notes_old_and_new_rows_with_their_cause(fixture: &SqlFixture) {
    fixture
        .run(&["CREATE TABLE \"the 'orders'\" (id INTEGER PRIMARY KEY, \"a\"\"b\" TEXT, x GENERATED ALWAYS AS (id * 2))"])
        .await;
    fixture.capture(&["the 'orders'"]).await;
    let connection = fixture.open().await;
    let run = |text: &'static str, depth| connection.run(plain(text), Some(cause(depth)));
    run("INSERT INTO \"the 'orders'\" VALUES (1, 'new')", 1).await.expect("it is right");
    run("UPDATE \"the 'orders'\" SET \"a\"\"b\" = x'00ff'", 2).await.expect("it is right");
    done(&*connection, "DELETE FROM \"the 'orders'\"").await;
    let changes = fixture.changes(0).await;
    let causes: Vec<_> = changes.iter().map(|(_, cause)| *cause).collect();
    assert_eq!(causes, [Some(cause(1)), Some(cause(2)), None]);
    let [(inserted, _), (updated, _), (deleted, _)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(inserted.columns, ["id", "a\"b", "x"]);
    let new = vec![int(1), text("new"), int(2)];
    let blob = vec![int(1), SqlValue::Blob(bytes::Bytes::from_static(&[0, 255])), int(2)];
    assert_eq!((&inserted.change, &inserted.old, &inserted.new), (&RowChange::Insert, &None, &Some(new.clone())));
    assert_eq!((&updated.change, &updated.old, &updated.new), (&RowChange::Update, &Some(new), &Some(blob.clone())));
    assert_eq!((&deleted.change, &deleted.old, &deleted.new), (&RowChange::Delete, &Some(blob), &None));
    assert!(inserted.sequence < updated.sequence && updated.sequence < deleted.sequence);
    let after = fixture.sql.changes(fixture.database(), inserted.sequence, 1).await.expect("readable");
    assert_eq!(after.len(), 1);
    assert_eq!(&after[0].0, updated);
}

pub(super) async fn what_is_undone_is_not_noted(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x UNIQUE)"]).await;
    fixture.capture(&["t"]).await;
    let connection = fixture.open().await;
    for text in ["BEGIN", "INSERT INTO t VALUES (1)", "ROLLBACK"] {
        done(&*connection, text).await;
    }
    let failing = ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (2)"].map(plain).to_vec();
    assert!(connection.batch(failing, None).await.is_err());
    assert_eq!(fixture.noted(0).await, []);
    for text in ["BEGIN", "INSERT INTO t VALUES (3)", "SAVEPOINT s", "INSERT INTO t VALUES (4)", "ROLLBACK TO s"] {
        done(&*connection, text).await;
    }
    assert_eq!(fixture.noted(0).await, [], "nothing is noted before it is committed");
    done(&*connection, "COMMIT").await;
    assert_eq!(fixture.noted(0).await, [("t".into(), RowChange::Insert, None, Some(vec![int(3)]))]);
}

pub(super) async fn replaced_and_cascaded_rows_are_noted(fixture: &SqlFixture) {
    fixture
        .run(&[
            "CREATE TABLE t (id INTEGER PRIMARY KEY, x UNIQUE)",
            "CREATE TABLE child (of REFERENCES t ON DELETE CASCADE)",
            "CREATE TABLE plain (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
        ])
        .await;
    fixture.capture(&["t", "child", "plain"]).await;
    fixture.run(&["INSERT INTO t VALUES (1, 'a')", "INSERT INTO child VALUES (1)"]).await;
    let before = fixture.newest().await;
    fixture.run(&["REPLACE INTO t VALUES (2, 'a')"]).await;
    let noted = fixture.noted(before).await;
    for expected in [
        ("t".into(), RowChange::Delete, Some(vec![int(1), text("a")]), None),
        ("child".into(), RowChange::Delete, Some(vec![int(1)]), None),
        ("t".into(), RowChange::Insert, None, Some(vec![int(2), text("a")])),
    ] {
        assert!(noted.contains(&expected), "{expected:?} is missing in {noted:?}");
    }
    assert_eq!(noted.len(), 3);
    let before = fixture.newest().await;
    fixture
        .run(&["INSERT INTO plain VALUES ('k', 1)", "INSERT INTO plain VALUES ('k', 2) ON CONFLICT DO UPDATE SET v = 3"])
        .await;
    let kinds: Vec<RowChange> = fixture.noted(before).await.into_iter().map(|(_, kind, ..)| kind).collect();
    assert_eq!(kinds, [RowChange::Insert, RowChange::Update]);
}

pub(super) async fn only_named_tables_are_noted_until_they_are_not(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).await;
    let connection = fixture.open().await;
    done(&*connection, "INSERT INTO a VALUES (0)").await;
    fixture.capture(&["a", "later"]).await;
    for text in ["INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (2)", "CREATE TABLE later (y)", "INSERT INTO later VALUES (3)"]
    {
        done(&*connection, text).await;
    }
    fixture.capture(&["b"]).await;
    for text in ["INSERT INTO a VALUES (4)", "INSERT INTO b VALUES (5)"] {
        done(&*connection, text).await;
    }
    fixture.capture(&[]).await;
    done(&*connection, "INSERT INTO b VALUES (6)").await;
    let noted: Vec<_> = fixture.noted(0).await.into_iter().map(|(table, _, _, new)| (table, new)).collect();
    let row = |table: &str, value| (table.to_owned(), Some(vec![int(value)]));
    assert_eq!(noted, [row("a", 1), row("later", 3), row("b", 5)]);
}

pub(super) async fn follows_changes_of_the_schema(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (a, b)"]).await;
    fixture.capture(&["t"]).await;
    let (one, two) = (fixture.open().await, fixture.open().await);
    for connection in [&one, &two] {
        done(&**connection, "INSERT INTO t (a, b) VALUES (1, 1)").await;
    }
    for text in ["ALTER TABLE t ADD COLUMN c DEFAULT 5", "ALTER TABLE t DROP COLUMN b", "ALTER TABLE t RENAME COLUMN a TO d"] {
        done(&*one, text).await;
    }
    let before = fixture.newest().await;
    // In one transaction with a change of the schema, also when that is undone and the same connection goes on.
    for text in ["BEGIN", "ALTER TABLE t ADD COLUMN e", "INSERT INTO t (d, e) VALUES (2, 3)", "ROLLBACK"] {
        done(&*one, text).await;
    }
    done(&*two, "ALTER TABLE t ADD COLUMN f").await;
    for connection in [&one, &two] {
        done(&**connection, "INSERT INTO t (d, f) VALUES (4, 6)").await;
    }
    let changes = fixture.changes(before).await;
    assert_eq!(changes.len(), 2);
    for (change, _) in changes {
        assert_eq!(change.columns, ["d", "c", "f"]);
        assert_eq!(change.new, Some(vec![int(4), int(5), int(6)]));
    }
    done(&*one, "DROP TABLE t").await;
    done(&*one, "CREATE TABLE t (g)").await;
    let before = fixture.newest().await;
    done(&*two, "INSERT INTO t VALUES (7)").await;
    assert_eq!(fixture.noted(before).await, [("t".into(), RowChange::Insert, None, Some(vec![int(7)]))]);
    done(&*one, "DROP TABLE t").await;
}

pub(super) async fn sequences_grow_also_after_everything_is_forgotten(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    fixture.capture(&["t"]).await;
    let mut last = 0;
    for round in 0..4 {
        fixture.run(&["INSERT INTO t VALUES (1), (2)"]).await;
        let changes = fixture.changes(0).await;
        assert_eq!(changes.len(), 2, "in round {round}");
        assert!(changes[0].0.sequence > last && changes[1].0.sequence > changes[0].0.sequence);
        last = changes[1].0.sequence;
        fixture.sql.forget(fixture.database(), last + 100).await.expect("it can be forgotten");
        assert_eq!(fixture.noted(0).await, []);
    }
}

pub(super) async fn waiters_hear_of_it(fixture: &SqlFixture) {
    fixture.run(&["CREATE TABLE t (x)"]).await;
    fixture.capture(&["t"]).await;
    let changed = fixture.sql.changed(fixture.database());
    let connection = fixture.open().await;
    done(&*connection, "BEGIN").await;
    done(&*connection, "INSERT INTO t VALUES (1)").await;
    done(&*connection, "COMMIT").await;
    soon("the news of a change", changed).await;
    assert_eq!(fixture.noted(0).await.len(), 1);
}

pub(super) async fn migrations_are_noted_too(fixture: &SqlFixture) {
    fixture.capture(&["t"]).await;
    let text = "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2); ALTER TABLE t DROP COLUMN a; UPDATE t SET b = 3; DROP TABLE t; CREATE TABLE t (c)";
    fixture.sql.migrate(fixture.database(), &[migration("1", text)]).await.expect("it is right");
    let noted = fixture.noted(0).await;
    let expected = [
        ("t".to_owned(), RowChange::Insert, None, Some(vec![int(1), int(2)])),
        ("t".to_owned(), RowChange::Update, Some(vec![int(2)]), Some(vec![int(3)])),
    ];
    assert_eq!(noted, expected);
}
