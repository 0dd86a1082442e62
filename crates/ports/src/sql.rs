//! SQL databases of apps. The dialect is the engine's; nobody translates.

use std::sync::Arc;

use async_trait::async_trait;
pub use types::sql::{DatabaseName, Migration, RowChanged, Rows, SqlAccess, SqlValue, Statement};

use crate::StoreError;

/// SQL databases, each isolated from all others: damage to one is an error of that one.
#[async_trait]
pub trait Sql: Send + Sync {
    /// Opens a connection, making the database if it is new. Dropping it rolls back what it has open.
    async fn connect(&self, database: &DatabaseName, access: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError>;

    /// Applies those migrations that were not applied yet, in the order of their names, each in a transaction of its own. Gives the names
    /// of those that were applied now.
    ///
    /// # Errors
    /// `Conflict` if one that was applied has another text now, or would come before one that was applied; `Rejected` with the name
    /// of the one that failed and what the engine says, after which those before it stay applied.
    async fn migrate(&self, database: &DatabaseName, migrations: &[Migration]) -> Result<Vec<String>, StoreError>;

    /// The migrations that were applied, by name.
    async fn migrated(&self, database: &DatabaseName) -> Result<Vec<Migration>, StoreError>;

    /// Notes every change of these tables' rows from now on, in the transaction that makes it, until it is taken. Replaces what was said
    /// before; no table means none.
    async fn capture(&self, database: &DatabaseName, tables: &[String]) -> Result<(), StoreError>;

    /// The oldest noted changes above a sequence, with what caused each. Fewer than `max` means that there are no more.
    async fn changes(
        &self,
        database: &DatabaseName,
        above: u64,
        max: usize,
    ) -> Result<Vec<(RowChanged, Option<types::Cause>)>, StoreError>;

    /// Forgets noted changes up to a sequence.
    async fn forget(&self, database: &DatabaseName, upto: u64) -> Result<(), StoreError>;

    /// Ends once a change may have been noted after the call. Only a hint: whoever waits looks by a timer too.
    fn changed(&self, database: &DatabaseName) -> crate::BoxFuture<()>;

    /// The databases whose names begin with `prefix`, by name.
    async fn databases(&self, prefix: &str) -> Result<Vec<DatabaseName>, StoreError>;

    /// The whole database as the engine's file, from one moment.
    async fn dump(&self, database: &DatabaseName) -> Result<crate::Body, StoreError>;

    /// Replaces the whole database by such a file, all or nothing. Connections that are open fail from then on.
    ///
    /// # Errors
    /// `Damaged` if it is not a whole database: nothing is changed then.
    async fn restore(&self, database: &DatabaseName, file: crate::Body) -> Result<(), StoreError>;

    /// Removes the whole database, its migrations and noted changes too; nothing happens if there is none. Connections that are open fail
    /// from then on, and the next one finds a database that is new.
    async fn remove(&self, database: &DatabaseName) -> Result<(), StoreError>;
}

/// One connection. Statements run one after another; a transaction begun with `BEGIN` stays open between calls.
#[async_trait]
pub trait SqlConnection: Send + Sync {
    /// Runs one statement. `cause` is noted with the changes that it makes.
    ///
    /// # Errors
    /// `TooMany` and `TooLarge` for more than `limits::SQL_ROWS` or `SQL_BYTES` of rows, `Denied` for writing through a connection that
    /// reads only or for what no app may do (`ATTACH`, `PRAGMA` beyond reading, loading extensions), `Rejected` with the engine's words
    /// for an error in the statement, `Full` and `Damaged` as everywhere.
    async fn run(&self, statement: Statement, cause: Option<types::Cause>) -> Result<Rows, StoreError>;

    /// Runs the statements as one transaction: all of them take effect, or none.
    async fn batch(&self, statements: Vec<Statement>, cause: Option<types::Cause>) -> Result<Vec<Rows>, StoreError>;

    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;
}
