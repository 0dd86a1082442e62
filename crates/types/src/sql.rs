//! The vocabulary of SQL databases. The dialect is the engine's; nobody translates.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName},
    trigger::RowChange,
};

/// A database's identity: one app's database in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DatabaseName(pub String);

impl DatabaseName {
    /// The database `name` of `app` in `env`.
    #[must_use]
    pub fn of(app: &AppName, env: &EnvName, name: &str) -> Self {
        Self(format!("{app}/{env}/{name}"))
    }
}

/// A value of a parameter or a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<SqlValue>>,
    /// Rows that were changed.
    pub changed: u64,
    /// The row id that the last insert was given; 0 if there was none on this connection.
    pub last_insert: i64,
}

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Statement {
    /// The text.
    pub text: String,
    /// The parameters, by position.
    pub parameters: Vec<SqlValue>,
}

/// How a database may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlAccess {
    /// Reading only: the engine itself refuses the rest.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// A step of a database's history, applied once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Migration {
    /// The file's name, by whose order steps are applied.
    pub name: String,
    /// The statements.
    pub sql: String,
}

/// A changed row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowChanged {
    /// The place of the change in its database; grows in commit order.
    pub sequence: u64,
    /// The table.
    pub table: String,
    /// What happened.
    pub change: RowChange,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The row before, unless it is new.
    pub old: Option<Vec<SqlValue>>,
    /// The row after, unless it is gone.
    pub new: Option<Vec<SqlValue>>,
}
