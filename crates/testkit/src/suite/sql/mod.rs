//! What every engine of SQL databases must do. There is no model: the language is the engine's, so cases say what must come out.

mod capturing;
mod copying;
mod limits;
mod migrating;
mod random;
mod refusing;
mod running;
mod transactions;

use std::{any::Any, sync::Arc};

use ports::{
    Sql, SqlConnection, StoreError,
    sql::{DatabaseName, Rows, SqlAccess, SqlValue, Statement},
};

use super::soon;
use crate::{TestClock, rng::seeds};

/// Fresh databases with the clock that they were given.
pub struct SqlFixture {
    /// The databases, or a decorator around them.
    pub sql: Arc<dyn Sql>,
    /// Their clock.
    pub clock: Arc<TestClock>,
    /// Two databases that the suite may use; a decorator may need certain ones.
    pub databases: [DatabaseName; 2],
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl SqlFixture {
    /// A fixture that keeps nothing and may use any database.
    #[must_use]
    pub fn new(sql: Arc<dyn Sql>, clock: Arc<TestClock>) -> Self {
        let databases = [DatabaseName("shop/dev/first".into()), DatabaseName("shop/dev/second".into())];
        Self { sql, clock, databases, keep: Box::new(()) }
    }
    /// Keeps something alive with the databases.
    #[must_use]
    pub fn keeping(mut self, keep: impl Any + Send + Sync) -> Self {
        self.keep = Box::new(keep);
        self
    }
}

/// Runs every case on fresh databases. Needs a runtime with more than one thread, or with time to spare on one.
///
/// # Panics
/// If a case fails.
pub async fn sql<F: Future<Output = SqlFixture>>(make: impl Fn() -> F) {
    macro_rules! run {
        ($($module:ident::$case:ident),* $(,)?) => {$(
            eprintln!("case {}::{}", stringify!($module), stringify!($case));
            $module::$case(&make().await).await;
        )*};
    }
    run!(
        running::values_come_back_as_they_were,
        running::counts_what_changed,
        running::statements_that_are_wrong_are_rejected_in_the_engines_words,
        running::databases_share_nothing,
        running::names_of_databases_stay_in_their_folder,
        transactions::stay_open_between_calls_and_are_isolated,
        transactions::are_undone_when_the_connection_is_dropped,
        transactions::a_batch_happens_wholly_or_not_at_all,
        transactions::a_batch_inside_a_transaction_is_part_of_it,
        transactions::writers_wait_for_one_another,
        transactions::a_writer_that_read_something_old_is_told,
        transactions::who_waits_too_long_to_write_is_told,
        limits::rows_are_bounded,
        limits::bytes_are_bounded,
        limits::what_returned_too_much_did_not_happen,
        limits::time_is_bounded,
        limits::texts_and_batches_are_bounded,
        refusing::nothing_outside_the_database_is_reached,
        refusing::reading_connections_do_not_write,
        refusing::tables_of_the_platform_are_not_for_apps,
        refusing::one_statement_at_a_time,
        migrating::applies_what_is_missing_in_order,
        migrating::refuses_changed_and_late_ones,
        migrating::a_failing_one_leaves_those_before,
        migrating::does_not_end_its_own_transaction,
        capturing::notes_old_and_new_rows_with_their_cause,
        capturing::what_is_undone_is_not_noted,
        capturing::replaced_and_cascaded_rows_are_noted,
        capturing::only_named_tables_are_noted_until_they_are_not,
        capturing::follows_changes_of_the_schema,
        capturing::sequences_grow_also_after_everything_is_forgotten,
        capturing::waiters_hear_of_it,
        capturing::migrations_are_noted_too,
        copying::a_dump_is_restored_as_it_was,
        copying::what_is_no_database_changes_nothing,
        copying::open_connections_fail_after_a_restore,
        copying::changes_that_nobody_took_outlive_a_restore,
        copying::lists_databases_by_prefix,
    );
    for seed in seeds(3) {
        random::agrees_with_a_map_and_notes_every_change(&make().await, seed).await;
    }
}

pub(super) fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}
pub(super) fn int(value: i64) -> SqlValue {
    SqlValue::Integer(value)
}
pub(super) fn statement(text: &str, parameters: Vec<SqlValue>) -> Statement {
    Statement { text: text.into(), parameters }
}
pub(super) fn plain(text: &str) -> Statement {
    statement(text, vec![])
}

// Short forms for the first database, for cases that don't care about errors.
impl SqlFixture {
    fn database(&self) -> &DatabaseName {
        &self.databases[0]
    }
    async fn open(&self) -> Arc<dyn SqlConnection> {
        self.sql.connect(self.database(), SqlAccess::ReadWrite).await.expect("it can be opened")
    }
    async fn open_reading(&self) -> Arc<dyn SqlConnection> {
        self.sql.connect(self.database(), SqlAccess::Read).await.expect("it can be opened")
    }
    /// Runs the statements on a connection of their own.
    async fn run(&self, texts: &[&str]) {
        let connection = self.open().await;
        for text in texts {
            done(&*connection, text).await;
        }
    }
    /// What the query gives, on a connection of its own.
    async fn rows(&self, text: &str) -> Vec<Vec<SqlValue>> {
        done(&*self.open_reading().await, text).await.rows
    }
}

/// Runs a statement that must succeed.
async fn done(connection: &dyn SqlConnection, text: &str) -> Rows {
    connection.run(plain(text), None).await.unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Runs a statement that must fail.
async fn refused(connection: &dyn SqlConnection, text: &str) -> StoreError {
    match connection.run(plain(text), None).await {
        Err(error) => error,
        Ok(rows) => panic!("{text} gave {rows:?}"),
    }
}
