//! Spin's SQLite, in both of its published versions, over the same connections as `dayfly:sql`. Its `key-value` is with the other
//! key-value interfaces, its `variables` with the settings.

use types::sql::{Rows, SqlValue};
use wasmtime::component::Resource;

use super::{
    Host,
    bindings::{fermyon::spin::sqlite as sqlite2, spin::sqlite::sqlite as sqlite3},
    sql::{Connection, Failed},
    store::Kind,
};

/// What both versions say alike.
macro_rules! serve {
    ($sqlite:ident) => {
        impl From<Failed> for $sqlite::Error {
            fn from(failed: Failed) -> Self {
                match failed {
                    Failed::TooManyConnections => Self::Io("too many connections are open: close one".into()),
                    Failed::Told(told) => match told.kind {
                        Kind::AccessDenied => Self::AccessDenied,
                        Kind::Unavailable => Self::DatabaseFull,
                        _ => Self::Io(told.text),
                    },
                }
            }
        }
        impl From<$sqlite::Value> for SqlValue {
            fn from(value: $sqlite::Value) -> Self {
                match value {
                    $sqlite::Value::Null => Self::Null,
                    $sqlite::Value::Integer(number) => Self::Integer(number),
                    $sqlite::Value::Real(number) => Self::Real(number),
                    $sqlite::Value::Text(text) => Self::Text(text),
                    $sqlite::Value::Blob(bytes) => Self::Blob(bytes.into()),
                }
            }
        }
        impl From<SqlValue> for $sqlite::Value {
            fn from(value: SqlValue) -> Self {
                match value {
                    SqlValue::Null => Self::Null,
                    SqlValue::Integer(number) => Self::Integer(number),
                    SqlValue::Real(number) => Self::Real(number),
                    SqlValue::Text(text) => Self::Text(text),
                    SqlValue::Blob(bytes) => Self::Blob(bytes.into()),
                }
            }
        }
        impl From<Rows> for $sqlite::QueryResult {
            fn from(rows: Rows) -> Self {
                let row = |values: Vec<SqlValue>| $sqlite::RowResult { values: values.into_iter().map(Into::into).collect() };
                Self { columns: rows.columns, rows: rows.rows.into_iter().map(row).collect() }
            }
        }
        impl $sqlite::Host for Host {}
    };
}
serve!(sqlite2);
serve!(sqlite3);

impl sqlite2::HostConnection for Host {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, sqlite2::Error>> {
        Ok(self.sql_open(&database).await?.map_err(Into::into))
    }
    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<sqlite2::Value>,
    ) -> wasmtime::Result<Result<sqlite2::QueryResult, sqlite2::Error>> {
        let parameters = parameters.into_iter().map(Into::into).collect();
        Ok(self.sql_run(&connection, statement, parameters).await?.map(Into::into).map_err(Into::into))
    }
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.sql_close(connection)
    }
}

impl sqlite3::HostConnection for Host {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, sqlite3::Error>> {
        Ok(self.sql_open(&database).await?.map_err(Into::into))
    }
    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<sqlite3::Value>,
    ) -> wasmtime::Result<Result<sqlite3::QueryResult, sqlite3::Error>> {
        let parameters = parameters.into_iter().map(Into::into).collect();
        Ok(self.sql_run(&connection, statement, parameters).await?.map(Into::into).map_err(Into::into))
    }
    fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(self.table.get(&connection)?.last_insert)
    }
    fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&connection)?.changed)
    }
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.sql_close(connection)
    }
}
