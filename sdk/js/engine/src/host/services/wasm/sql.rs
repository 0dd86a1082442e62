//! `dayfly:sql`.

use crate::host::{
    services::{Answer, Changes, Rows, SqlValue, Statement},
    wasm::bindings::dayfly::sql::database::{self, Value},
};

/// A connection.
pub(crate) struct Connection(database::Connection);

/// Connects to a database.
pub(crate) fn open(name: &str) -> Answer<Connection> {
    database::open(name).map(Connection).map_err(told)
}

super::told!(database::Error {
    AccessDenied => "access-denied",
    TooLarge => "too-large",
    Sql => "sql",
    Busy => "busy",
    UnknownOutcome => "unknown-outcome",
    Unavailable => "unavailable",
    Other => "other",
} with {
    Error::TooManyConnections => Failed::new("too-many-connections", ""),
});

fn given(values: &[SqlValue]) -> Vec<Value> {
    let value = |value: &SqlValue| match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => Value::Integer(*number),
        SqlValue::Real(number) => Value::Real(*number),
        SqlValue::Text(text) => Value::Text(text.clone()),
        SqlValue::Blob(bytes) => Value::Blob(bytes.clone()),
    };
    values.iter().map(value).collect()
}

fn rows(database::Rows { columns, rows }: database::Rows) -> Rows {
    let value = |value| match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Real(number) => SqlValue::Real(number),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
    };
    Rows { columns, rows: rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect() }
}

fn changes(database::Changes { changed, last_insert_id }: database::Changes) -> Changes {
    Changes { changed, last_insert_id }
}

impl Connection {
    /// Runs a statement that gives rows.
    pub(crate) fn query(&self, text: &str, parameters: &[SqlValue]) -> Answer<Rows> {
        self.0.query(text, &given(parameters)).map(rows).map_err(told)
    }
    /// Runs a statement that changes something.
    pub(crate) fn execute(&self, text: &str, parameters: &[SqlValue]) -> Answer<Changes> {
        self.0.execute(text, &given(parameters)).map(changes).map_err(told)
    }
    /// Runs the statements as one transaction.
    pub(crate) fn batch(&self, statements: &[Statement]) -> Answer<Vec<(Rows, Changes)>> {
        let statement = |Statement { text, parameters }: &Statement| database::Statement {
            text: text.clone(),
            parameters: given(parameters),
        };
        let statements: Vec<database::Statement> = statements.iter().map(statement).collect();
        let outcomes = self.0.batch(&statements).map_err(told)?;
        Ok(outcomes.into_iter().map(|outcome| (rows(outcome.rows), changes(outcome.changes))).collect())
    }
    /// Begins a transaction.
    pub(crate) fn begin(&self) -> Answer<()> {
        self.0.begin().map_err(told)
    }
    /// Makes it durable.
    pub(crate) fn commit(&self) -> Answer<()> {
        self.0.commit().map_err(told)
    }
    /// Undoes it.
    pub(crate) fn rollback(&self) -> Answer<()> {
        self.0.rollback().map_err(told)
    }
}
