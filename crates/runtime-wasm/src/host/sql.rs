//! `dayfly:sql`, and the connections under it, which Spin's SQLite shares.

use std::sync::Arc;

use ports::SqlConnection;
use types::{
    limits,
    sql::{Rows, SqlAccess, SqlValue, Statement},
};
use wasmtime::component::Resource;

use super::{
    Host,
    bindings::dayfly::sql::database::{self, Changes, Error, Outcome, Value},
    store::{Answered, Kind, Told, too_many},
};

/// An open connection. What is open on it is rolled back when it is dropped.
pub struct Connection {
    inner: Arc<dyn SqlConnection>,
    access: SqlAccess,
    /// What the last statement that changes something changed.
    pub(super) changed: u64,
    /// The row id of the last insert.
    pub(super) last_insert: i64,
}

/// How a call fails, in the words of every interface.
pub(crate) enum Failed {
    /// As many connections are open as may be.
    TooManyConnections,
    /// Anything else.
    Told(Told),
}

impl<T: Into<Told>> From<T> for Failed {
    fn from(error: T) -> Self {
        Self::Told(error.into())
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        let Failed::Told(Told { kind, text }) = failed else { return Self::TooManyConnections };
        match kind {
            Kind::AccessDenied => Self::AccessDenied(text),
            Kind::TooLarge => Self::TooLarge(text),
            Kind::Rejected => Self::Sql(text),
            Kind::Busy => Self::Busy(text),
            Kind::UnknownOutcome => Self::UnknownOutcome(text),
            Kind::Unavailable => Self::Unavailable(text),
            Kind::Conflict | Kind::Other => Self::Other(text),
        }
    }
}

impl From<Value> for SqlValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes.into()),
        }
    }
}
impl From<SqlValue> for Value {
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

fn outcome(rows: Rows) -> Outcome {
    let Rows { columns, rows, changed, last_insert } = rows;
    let rows = rows.into_iter().map(|row| row.into_iter().map(Value::from).collect()).collect();
    Outcome { rows: database::Rows { columns, rows }, changes: Changes { changed, last_insert_id: last_insert } }
}

fn too_long(text: &str) -> Option<Failed> {
    let (measured, allowed) = (text.len() as u64, limits::SQL_STATEMENT.0);
    (measured > allowed).then(|| ports::StoreError::TooLarge { what: "statement", measured, allowed }.into())
}

impl Host {
    pub(super) async fn sql_open(&mut self, name: &str) -> Answered<Resource<Connection>, Failed> {
        let open = match self.scope.sql(name) {
            Ok(open) => open,
            Err(failure) => return Ok(Err(failure.into())),
        };
        if self.connections >= limits::SQL_CONNECTIONS {
            return Ok(Err(Failed::TooManyConnections));
        }
        let inner = match self.asked(open.sql.connect(&open.database, open.access)).await? {
            Ok(inner) => inner,
            Err(error) => return Ok(Err(error.into())),
        };
        self.connections += 1;
        Ok(Ok(self.table.push(Connection { inner, access: open.access, changed: 0, last_insert: 0 })?))
    }

    pub(super) fn sql_close(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        drop(self.table.delete(connection)?);
        self.connections -= 1;
        Ok(())
    }

    pub(super) async fn sql_run(
        &mut self,
        connection: &Resource<Connection>,
        text: String,
        parameters: Vec<SqlValue>,
    ) -> Answered<Rows, Failed> {
        if let Some(failed) = too_long(&text) {
            return Ok(Err(failed));
        }
        let inner = self.table.get(connection)?.inner.clone();
        let rows = match self.asked(inner.run(Statement { text, parameters }, None)).await? {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error.into())),
        };
        self.table.get_mut(connection)?.note(&rows);
        Ok(Ok(rows))
    }

    async fn sql_control(&mut self, connection: &Resource<Connection>, text: &str) -> Answered<(), Error> {
        let ran = self.sql_run(connection, text.to_owned(), Vec::new()).await?;
        Ok(ran.map(drop).map_err(Into::into))
    }
}

impl Connection {
    /// A statement that only reads leaves what the last one changed as it was.
    fn note(&mut self, rows: &Rows) {
        if rows.columns.is_empty() || rows.changed > 0 {
            self.changed = rows.changed;
        }
        self.last_insert = rows.last_insert;
    }
}

impl database::Host for Host {
    async fn open(&mut self, name: String) -> Answered<Resource<Connection>, Error> {
        Ok(self.sql_open(&name).await?.map_err(Into::into))
    }
}

impl database::HostConnection for Host {
    async fn query(
        &mut self,
        connection: Resource<Connection>,
        text: String,
        parameters: Vec<Value>,
    ) -> Answered<database::Rows, Error> {
        let parameters = parameters.into_iter().map(Into::into).collect();
        let ran = self.sql_run(&connection, text, parameters).await?;
        Ok(ran.map(|rows| outcome(rows).rows).map_err(Into::into))
    }
    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        text: String,
        parameters: Vec<Value>,
    ) -> Answered<Changes, Error> {
        let parameters = parameters.into_iter().map(Into::into).collect();
        let ran = self.sql_run(&connection, text, parameters).await?;
        Ok(ran.map(|rows| Changes { changed: rows.changed, last_insert_id: rows.last_insert }).map_err(Into::into))
    }
    async fn batch(
        &mut self,
        connection: Resource<Connection>,
        statements: Vec<database::Statement>,
    ) -> Answered<Vec<Outcome>, Error> {
        if statements.len() > limits::EVENT_BATCH {
            let told = too_many("statements", statements.len(), limits::EVENT_BATCH);
            return Ok(Err(Failed::Told(told).into()));
        }
        if let Some(failed) = statements.iter().find_map(|statement| too_long(&statement.text)) {
            return Ok(Err(failed.into()));
        }
        let statement = |statement: database::Statement| Statement {
            text: statement.text,
            parameters: statement.parameters.into_iter().map(Into::into).collect(),
        };
        let inner = self.table.get(&connection)?.inner.clone();
        let statements = statements.into_iter().map(statement).collect();
        let all = match self.asked(inner.batch(statements, None)).await? {
            Ok(all) => all,
            Err(error) => return Ok(Err(Failed::from(error).into())),
        };
        let connection = self.table.get_mut(&connection)?;
        all.iter().for_each(|rows| connection.note(rows));
        Ok(Ok(all.into_iter().map(outcome).collect()))
    }
    async fn begin(&mut self, connection: Resource<Connection>) -> Answered<(), Error> {
        let text = match self.table.get(&connection)?.access {
            SqlAccess::Read => "BEGIN",
            // A transaction that reads first and writes later can fail in between because of another writer; this one can't.
            SqlAccess::ReadWrite => "BEGIN IMMEDIATE",
        };
        self.sql_control(&connection, text).await
    }
    async fn commit(&mut self, connection: Resource<Connection>) -> Answered<(), Error> {
        self.sql_control(&connection, "COMMIT").await
    }
    async fn rollback(&mut self, connection: Resource<Connection>) -> Answered<(), Error> {
        self.sql_control(&connection, "ROLLBACK").await
    }
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.sql_close(connection)
    }
}
