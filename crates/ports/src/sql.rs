//! SQL databases of apps. The dialect is the engine's; nobody translates.

use async_trait::async_trait;
use bytes::Bytes;

use crate::StoreError;

/// A database's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatabaseName(pub String);

/// A value of a parameter or a column.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Bytes),
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<SqlValue>>,
    /// Rows that were changed.
    pub changed: u64,
}

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub text: String,
    /// The parameters, by position.
    pub parameters: Vec<SqlValue>,
}

/// How a statement may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlAccess {
    /// Reading only: the engine itself refuses the rest.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// SQL databases.
#[async_trait]
pub trait Sql: Send + Sync {
    /// Runs the statements as one transaction: all of them take effect, or none. More than `rows_max` rows are an error.
    async fn run(
        &self,
        database: &DatabaseName,
        access: SqlAccess,
        statements: Vec<Statement>,
        rows_max: usize,
    ) -> Result<Vec<Rows>, StoreError>;
}
