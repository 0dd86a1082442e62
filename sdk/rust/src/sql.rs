//! The app's SQL databases.
//!
//! ```no_run
//! use dayfly::{params, sql};
//!
//! # fn main() -> Result<(), dayfly::Error> {
//! let shop = sql::open("shop")?;
//! shop.execute("INSERT INTO orders (who, cents) VALUES (?, ?)", params!["ada", 1200])?;
//! for row in shop.query("SELECT id, who FROM orders WHERE cents > ?", params![1000])?.iter() {
//!     println!("{} {}", row.integer("id").unwrap_or(0), row.text("who").unwrap_or(""));
//! }
//! shop.transaction(|shop| {
//!     shop.execute("UPDATE accounts SET cents = cents - 5 WHERE id = 1", params![])?;
//!     shop.execute("UPDATE accounts SET cents = cents + 5 WHERE id = 2", params![])
//! })?;
//! # Ok(())
//! # }
//! ```

use crate::{
    Error,
    bindings::sql::database::{self, Connection, Statement},
};

pub use database::{Changes, Outcome, Value};

/// Parameters of a statement, by position.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}

/// A connection to a database. Dropping it rolls back what is open on it.
pub struct Database(Connection);

/// Connects to a database by its name in the manifest: `sql.shop` is `shop`.
pub fn open(name: &str) -> Result<Database, Error> {
    Ok(Database(database::open(name)?))
}

impl Database {
    /// Runs a statement that gives rows.
    pub fn query(&self, text: &str, parameters: Vec<Value>) -> Result<Rows, Error> {
        let database::Rows { columns, rows } = self.0.query(text, &parameters)?;
        Ok(Rows { columns, rows })
    }
    /// Runs a statement that changes something.
    pub fn execute(&self, text: &str, parameters: Vec<Value>) -> Result<Changes, Error> {
        Ok(self.0.execute(text, &parameters)?)
    }
    /// Runs the statements as one transaction.
    pub fn batch(&self, statements: impl IntoIterator<Item = (String, Vec<Value>)>) -> Result<Vec<Outcome>, Error> {
        let statement = |(text, parameters)| Statement { text, parameters };
        let statements: Vec<Statement> = statements.into_iter().map(statement).collect();
        Ok(self.0.batch(&statements)?)
    }
    /// Runs `work` in a transaction: committed if it succeeds, rolled back if it fails.
    pub fn transaction<T>(&self, work: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        self.0.begin()?;
        match work(self) {
            Ok(value) => {
                self.0.commit()?;
                Ok(value)
            }
            Err(error) => {
                // What failed is worth more than that undoing it failed as well: the connection's end undoes it too.
                let _ = self.0.rollback();
                Err(error)
            }
        }
    }
}

/// What a query gave.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// The rows, whose values can be asked for by their columns' names.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { columns: &self.columns, values })
    }
    /// The first row.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [Value],
}

impl<'a> Row<'a> {
    /// The value of a column.
    pub fn value(&self, column: &str) -> Option<&'a Value> {
        self.values.get(self.columns.iter().position(|name| name == column)?)
    }
    /// The value of a column, if it is a whole number.
    pub fn integer(&self, column: &str) -> Option<i64> {
        if let Value::Integer(number) = self.value(column)? { Some(*number) } else { None }
    }
    /// The value of a column, if it is a floating-point number.
    pub fn real(&self, column: &str) -> Option<f64> {
        if let Value::Real(number) = self.value(column)? { Some(*number) } else { None }
    }
    /// The value of a column, if it is text.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        if let Value::Text(text) = self.value(column)? { Some(text) } else { None }
    }
    /// The value of a column, if it is bytes.
    pub fn blob(&self, column: &str) -> Option<&'a [u8]> {
        if let Value::Blob(bytes) = self.value(column)? { Some(bytes) } else { None }
    }
}

macro_rules! values {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self { $to }
        }
    )*};
}
values! {
    i64 => |number| Self::Integer(number);
    i32 => |number| Self::Integer(number.into());
    u32 => |number| Self::Integer(number.into());
    bool => |is| Self::Integer(is.into());
    f64 => |number| Self::Real(number);
    &str => |text| Self::Text(text.to_owned());
    String => |text| Self::Text(text);
    &[u8] => |bytes| Self::Blob(bytes.to_vec());
    Vec<u8> => |bytes| Self::Blob(bytes);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
