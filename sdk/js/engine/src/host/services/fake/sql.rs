//! Databases in memory: SQLite, as the platform's are.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use rusqlite::types::{Value, ValueRef};

use super::granted;
use crate::host::services::{Answer, Changes, Failed, Rows, SqlValue, Statement};

thread_local! {
    static DATABASES: RefCell<BTreeMap<String, Rc<rusqlite::Connection>>> = RefCell::default();
    static OPEN: RefCell<usize> = const { RefCell::new(0) };
}

/// A connection. All to one database are the same here: transactions of several at once are not modelled.
pub struct Connection(Rc<rusqlite::Connection>);

/// Connects to a database.
pub fn open(name: &str) -> Answer<Connection> {
    granted("sql", name)?;
    if OPEN.with_borrow(|open| *open >= 8) {
        return Err(Failed::new("too-many-connections", ""));
    }
    OPEN.with_borrow_mut(|open| *open += 1);
    let made = || Rc::new(rusqlite::Connection::open_in_memory().expect("memory is there"));
    Ok(Connection(DATABASES.with_borrow_mut(|databases| databases.entry(name.to_owned()).or_insert_with(made).clone())))
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            drop(self.rollback());
        }
        OPEN.with_borrow_mut(|open| *open -= 1);
    }
}

fn told(error: rusqlite::Error) -> Failed {
    Failed::new("sql", error.to_string())
}

fn given(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => Value::Integer(*number),
        SqlValue::Real(number) => Value::Real(*number),
        SqlValue::Text(text) => Value::Text(text.clone()),
        SqlValue::Blob(bytes) => Value::Blob(bytes.clone()),
    }
}

fn taken(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Integer(number),
        ValueRef::Real(number) => SqlValue::Real(number),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

impl Connection {
    fn run(&self, text: &str, parameters: &[SqlValue]) -> Result<(Rows, Changes), rusqlite::Error> {
        let before = self.0.total_changes();
        let mut statement = self.0.prepare(text)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters.iter().map(given)))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push((0..columns.len()).map(|index| Ok(taken(row.get_ref(index)?))).collect::<Result<_, rusqlite::Error>>()?);
        }
        let changes = Changes { changed: self.0.total_changes() - before, last_insert_id: self.0.last_insert_rowid() };
        Ok((Rows { columns, rows: all }, changes))
    }
    /// Runs a statement that gives rows.
    pub fn query(&self, text: &str, parameters: &[SqlValue]) -> Answer<Rows> {
        self.run(text, parameters).map(|(rows, _)| rows).map_err(told)
    }
    /// Runs a statement that changes something.
    pub fn execute(&self, text: &str, parameters: &[SqlValue]) -> Answer<Changes> {
        self.run(text, parameters).map(|(_, changes)| changes).map_err(told)
    }
    /// Runs the statements as one transaction.
    pub fn batch(&self, statements: &[Statement]) -> Answer<Vec<(Rows, Changes)>> {
        self.begin()?;
        let run = |(index, statement): (usize, &Statement)| {
            let failed = |error| Failed::new("sql", format!("statement {}: {error}", index + 1));
            self.run(&statement.text, &statement.parameters).map_err(failed)
        };
        let all: Answer<Vec<_>> = statements.iter().enumerate().map(run).collect();
        if all.is_ok() {
            self.commit()?
        } else {
            self.rollback()?
        }
        all
    }
    /// Begins a transaction.
    pub fn begin(&self) -> Answer<()> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }
    /// Makes it durable.
    pub fn commit(&self) -> Answer<()> {
        self.execute("COMMIT", &[]).map(drop)
    }
    /// Undoes it.
    pub fn rollback(&self) -> Answer<()> {
        self.execute("ROLLBACK", &[]).map(drop)
    }
}
