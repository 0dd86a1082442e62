//! Key-value stores, databases, secrets and keys for AWS clients.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Content;
use crate::{sql::SqlValue, wire::Base64};

/// An entry of a key-value store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvEntry {
    /// The key.
    pub key: Content,
    /// The value.
    pub value: Content,
    /// The revision that wrote it.
    pub rev: u64,
    /// When it ceases to exist, if it does.
    pub expires: Option<String>,
}

/// Which entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct KvKey {
    /// The key.
    pub key: String,
    /// When writing: how long it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_ms: Option<u64>,
    /// When writing or removing: only if it was last written at this revision; 0 means only if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_rev: Option<u64>,
}

/// That a key-value store was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvWritten {
    /// The revision of the change.
    pub rev: u64,
}

/// One value of a row or a parameter, as JSON: null, a number, text, or `{"base64": …}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob {
        /// The bytes.
        #[schema(value_type = String)]
        base64: Base64,
    },
}

impl From<SqlValue> for Cell {
    fn from(value: SqlValue) -> Self {
        match value {
            SqlValue::Null => Self::Null,
            SqlValue::Integer(number) => Self::Integer(number),
            SqlValue::Real(number) => Self::Real(number),
            SqlValue::Text(text) => Self::Text(text),
            SqlValue::Blob(bytes) => Self::Blob { base64: Base64(bytes) },
        }
    }
}

impl From<Cell> for SqlValue {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(number) => Self::Integer(number),
            Cell::Real(number) => Self::Real(number),
            Cell::Text(text) => Self::Text(text),
            Cell::Blob { base64 } => Self::Blob(base64.0),
        }
    }
}

/// Statements for a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlQuery {
    /// The statement.
    pub sql: String,
    /// Its parameters, by position.
    #[serde(default)]
    pub parameters: Vec<Cell>,
    /// Whether it may write.
    #[serde(default)]
    pub write: bool,
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SqlRows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that were changed.
    pub changed: u64,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretRow {
    /// Its name.
    pub name: String,
    /// Its newest version; none if it was never set.
    pub version: Option<u32>,
    /// When that was set.
    pub set: Option<String>,
    /// The functions that use it.
    pub used_by: Vec<String>,
}

/// That a secret was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretSet {
    /// Its new version.
    pub version: u32,
}

/// A pair of keys for AWS clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AwsKey {
    /// What requests name.
    pub id: String,
    /// What they are signed with: shown once, when it is issued.
    pub secret: Option<String>,
    /// Whether it may change anything.
    pub read_only: bool,
    /// When it was issued.
    pub issued: String,
    /// Where AWS clients are to connect.
    pub endpoint_url: String,
}

/// A pair of keys to issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwsKeyIssue {
    /// Whether it may only read.
    pub read_only: bool,
}
