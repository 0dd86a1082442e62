//! One open connection of the engine: its settings, and how a statement runs on it. Everything here blocks.

use std::{cell::Cell, path::Path, sync::Arc, time::Duration};

use ports::{
    StoreError,
    sql::{Rows, SqlValue, Statement},
};
use rusqlite::{Connection, OpenFlags, config::DbConfig, limits::Limit, types::ToSqlOutput};
use types::{Cause, limits};

use super::{
    capture::{self, Captured},
    errors,
    guard::{Guard, Mode, OURS, STEPS_BETWEEN_LOOKS},
};
use crate::{
    failpoint::{Failpoints, Point},
    stop::Stop,
};

/// Memory for pages of one connection, in KiB.
const CACHE_KIB: i64 = 2_048;
/// Statements that one connection keeps prepared.
const STATEMENTS_MAX: usize = 32;

/// One open connection.
pub(super) struct Handle {
    pub(super) connection: Connection,
    pub(super) guard: Arc<Guard>,
    /// What the triggers were made for: the schema's version and the list's generation. `None` if that is not known.
    armed: Cell<Option<(i64, u64)>>,
    /// Whether it ever had any: what removed them may be undone.
    had_triggers: Cell<bool>,
    stop: Stop,
    failpoints: Failpoints,
}

/// What became of a statement.
pub(super) enum Ran {
    /// It gave this.
    Done(Rows),
    /// It would write, and nobody may but who has the right to.
    NeedsWriter,
}

/// What a call may give, over all its statements.
pub(super) struct Budget {
    rows: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { rows: 0, bytes: 0 }
    }
}

/// What a statement runs with.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) mode: Mode,
    pub(super) captured: &'a Captured,
    /// Whether nobody else can write now.
    pub(super) is_writer: bool,
}

impl Handle {
    /// Opens the file, making it if it is new.
    pub(super) fn open(path: &Path, guard: Arc<Guard>, stop: Stop, failpoints: Failpoints) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        configure(&connection)?;
        bound(&connection)?;
        capture::add_functions(&connection, &guard)?;
        // An insert into it sets the last row id, which is how that is forgotten between users.
        connection.execute_batch("CREATE TEMP TABLE _dayfly_last (n INTEGER PRIMARY KEY)")?;
        let judge = guard.clone();
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| judge.authorize(&context)))?;
        let watch = guard.clone();
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || watch.is_over()))?;
        let points = failpoints.clone();
        connection.commit_hook(Some(move || {
            points.pass(Point::SqlBeforeCommit);
            false
        }))?;
        Ok(Self { connection, guard, armed: Cell::new(None), had_triggers: Cell::new(false), stop, failpoints })
    }

    pub(super) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Work of the platform itself, at its own pace.
    pub(super) fn own<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.guard.set(Mode::Own);
        self.guard.allow(limits::TIME_MAX);
        work(&self.connection).map_err(|error| errors::of_own(&error, &self.guard, &self.stop))
    }

    /// The same for work that needs the connection for itself.
    pub(super) fn own_mut<T>(&mut self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.guard.set(Mode::Own);
        self.guard.allow(limits::TIME_MAX);
        work(&mut self.connection).map_err(|error| errors::of_own(&error, &self.guard, &self.stop))
    }

    /// Runs statements from here on for at most so long, noting the cause with changes.
    pub(super) fn begin(&self, time: Duration, cause: Option<Cause>) {
        self.guard.allow(time);
        let cause = cause.map(|cause| postcard::to_stdvec(&cause).expect("plain data in memory always serializes"));
        self.guard.set_cause(cause);
    }

    /// Runs one statement.
    pub(super) fn run(&self, statement: &Statement, terms: Terms<'_>, budget: &mut Budget) -> Result<Ran, StoreError> {
        let (measured, allowed) = (statement.text.len() as u64, limits::SQL_STATEMENT.0);
        if measured > allowed {
            return Err(StoreError::TooLarge { what: "statement", measured, allowed });
        }
        self.guard.take_reshapes();
        self.guard.take_undoes();
        let outcome = self.try_run(statement, terms, budget);
        if outcome.is_err() || self.guard.take_undoes() {
            self.armed.set(None);
        }
        if let Ok(Ran::Done(_)) = &outcome
            && terms.is_writer
            && !self.in_transaction()
        {
            self.failpoints.pass(Point::SqlAfterCommit);
        }
        outcome
    }

    fn try_run(&self, statement: &Statement, terms: Terms<'_>, budget: &mut Budget) -> Result<Ran, StoreError> {
        self.guard.set(terms.mode);
        let looked = self.look(&statement.text);
        if self.guard.take_reshapes() {
            // A kept one would not be looked at again.
            self.connection.flush_prepared_statement_cache();
            if !terms.mode.is_reading() {
                if !terms.is_writer {
                    return Ok(Ran::NeedsWriter);
                }
                self.disarm().map_err(|error| self.error(&error))?;
                self.guard.refusal();
            }
            looked.or_else(|_| self.look(&statement.text)).map_err(|error| self.error(&error))?;
            let outcome = self.whole(|handle| handle.keeping_names(|| handle.execute(statement, budget)));
            self.connection.flush_prepared_statement_cache();
            return outcome.map(Ran::Done);
        }
        let looked = match looked {
            // Perhaps only because another connection reshaped a table that triggers of ours are on.
            Err(_) if self.had_triggers.get() && !terms.is_writer => return Ok(Ran::NeedsWriter),
            Err(_) if self.had_triggers.get() => {
                self.guard.refusal();
                self.arm(terms.captured, terms.mode).and_then(|()| self.look(&statement.text))
            }
            looked => looked,
        };
        let is_reading = looked.map_err(|error| self.error(&error))?;
        if !is_reading {
            if terms.mode.is_reading() {
                return Err(StoreError::Denied("this grant reads only".into()));
            }
            if !terms.is_writer {
                return Ok(Ran::NeedsWriter);
            }
            self.arm(terms.captured, terms.mode).map_err(|error| self.error(&error))?;
        }
        self.execute(statement, budget).map(Ran::Done)
    }

    /// Refuses work after which something of the app has a name of ours. The engine does not ask about the new name of a table.
    pub(super) fn keeping_names<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mode = self.guard.mode();
        let count = || {
            self.guard.set(Mode::Own);
            let counted = capture::count_ours(&self.connection).map_err(|error| self.error(&error));
            self.guard.set(mode);
            counted
        };
        let before = count()?;
        let value = work()?;
        match count()? == before {
            true => Ok(value),
            false => Err(StoreError::Denied(format!("names that begin with {OURS} are the platform's"))),
        }
    }

    /// Whether the statement only reads; fails if it may not be run. It stays prepared.
    fn look(&self, text: &str) -> rusqlite::Result<bool> {
        let look = || Ok(self.connection.prepare_cached(text)?.readonly());
        look().or_else(|error| {
            // The engine may have judged by a schema that another connection changed since. Reading makes it look.
            let mode = self.guard.mode();
            self.guard.set(Mode::Own);
            let refreshed = self.connection.execute_batch("SELECT 1 FROM main.sqlite_master LIMIT 1");
            self.guard.set(mode);
            refreshed.map_err(|_| error)?;
            look()
        })
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        errors::of_statement(error, &self.guard, &self.stop)
    }

    /// Makes the triggers fit the tables. Only the writer may: nobody else changes the schema meanwhile.
    pub(super) fn arm(&self, captured: &Captured, then: Mode) -> rusqlite::Result<()> {
        if captured.tables.is_empty() && !self.had_triggers.get() {
            return Ok(());
        }
        self.guard.set(Mode::Own);
        let wanted = (capture::schema_version(&self.connection)?, captured.generation);
        if self.armed.get() != Some(wanted) {
            self.disarm()?;
            self.guard.set(Mode::Own);
            capture::make_triggers(&self.connection, captured)?;
            self.armed.set(Some(wanted));
            self.had_triggers.set(true);
        }
        self.guard.set(then);
        Ok(())
    }

    /// Removes the triggers: the engine refuses to reshape tables beneath them.
    pub(super) fn disarm(&self) -> rusqlite::Result<()> {
        self.armed.set(None);
        if !self.had_triggers.get() {
            return Ok(());
        }
        let before = self.guard.mode();
        self.guard.set(Mode::Own);
        let dropped = capture::drop_triggers(&self.connection);
        self.guard.set(before);
        dropped
    }

    fn execute(&self, statement: &Statement, budget: &mut Budget) -> Result<Rows, StoreError> {
        let is_returning = {
            let prepared = self.connection.prepare_cached(&statement.text).map_err(|error| self.error(&error))?;
            prepared.column_count() > 0 && !prepared.readonly()
        };
        if !is_returning {
            return self.step(statement, budget);
        }
        // Its rows may be too many when they were written already: only a savepoint undoes them then.
        self.whole(|handle| handle.step(statement, budget))
    }

    /// Does all of the work or none. Inside an open transaction it stays part of that.
    pub(super) fn whole<T>(&self, work: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (is_nested, mode) = (self.in_transaction(), self.guard.mode());
        let (begin, end, undo) = match (is_nested, mode.is_reading()) {
            (true, _) => ("SAVEPOINT _dayfly", "RELEASE _dayfly", "ROLLBACK TO _dayfly; RELEASE _dayfly"),
            (false, true) => ("BEGIN", "COMMIT", "ROLLBACK"),
            (false, false) => ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"),
        };
        let control = |text: &str| {
            self.guard.set(Mode::Own);
            let done = self.connection.execute_batch(text).map_err(|error| self.error(&error));
            self.guard.set(mode);
            done
        };
        control(begin)?;
        let outcome = work(self).and_then(|value| control(end).map(|()| value));
        // The engine undoes everything by itself after some failures: then nothing is left to undo.
        if outcome.is_err() {
            self.armed.set(None);
            if self.in_transaction() {
                control(undo)?;
            }
        }
        outcome
    }

    fn step(&self, statement: &Statement, budget: &mut Budget) -> Result<Rows, StoreError> {
        let total = self.connection.total_changes();
        let fail = |error: rusqlite::Error| self.error(&error);
        let mut prepared = self.connection.prepare_cached(&statement.text).map_err(fail)?;
        let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let parameters = rusqlite::params_from_iter(statement.parameters.iter().map(Parameter));
        let mut rows = prepared.query(parameters).map_err(fail)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            budget.rows += 1;
            if budget.rows > limits::SQL_ROWS {
                return Err(errors::too_many_rows(budget.rows));
            }
            let mut values = Vec::with_capacity(columns.len());
            for column in 0..columns.len() {
                let value = capture::value_of(row.get_ref(column).map_err(fail)?).map_err(StoreError::Rejected)?;
                budget.bytes += size_of_value(&value);
                values.push(value);
            }
            if budget.bytes as u64 > limits::SQL_BYTES.0 {
                return Err(errors::too_large_rows(budget.bytes));
            }
            found.push(values);
        }
        drop(rows);
        let has_changed = self.connection.total_changes() != total;
        let changed = if has_changed { self.connection.changes() } else { 0 };
        Ok(Rows { columns, rows: found, changed, last_insert: self.connection.last_insert_rowid() })
    }

    /// Makes it as new for the next user; gives whether that was possible.
    pub(super) fn clean(&self) -> bool {
        self.guard.stop_with(Arc::default());
        let is_inserted = self.connection.last_insert_rowid() != 0;
        let in_transaction = self.in_transaction();
        let cleaned = self.own(|connection| {
            if in_transaction {
                self.armed.set(None);
                connection.execute_batch("ROLLBACK")?;
            }
            if is_inserted {
                connection.execute_batch("REPLACE INTO temp._dayfly_last (n) VALUES (0)")?;
            }
            Ok(())
        });
        cleaned.is_ok() && !self.guard.has_temporary()
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // NORMAL would lose acknowledged commits at a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // A mapped file that is damaged or cut would end the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The file may come from elsewhere: nothing in it is trusted, and its schema is only changed by DDL.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

fn bound(connection: &Connection) -> rusqlite::Result<()> {
    let int = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
    // Twice and some more: a noted change holds the old row and the new one.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, int(2 * limits::SQL_BYTES.0 + (1 << 20)))?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, int(limits::SQL_STATEMENT.0))?;
    connection.set_limit(Limit::SQLITE_LIMIT_COLUMN, 900)?;
    connection.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 200)?;
    connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    Ok(())
}

struct Parameter<'a>(&'a SqlValue);

impl rusqlite::ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::{Value, ValueRef};
        Ok(match self.0 {
            SqlValue::Null => ToSqlOutput::Owned(Value::Null),
            SqlValue::Integer(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            SqlValue::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
            SqlValue::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            SqlValue::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// The memory that a value takes, about.
fn size_of_value(value: &SqlValue) -> usize {
    size_of::<SqlValue>()
        + match value {
            SqlValue::Text(text) => text.len(),
            SqlValue::Blob(bytes) => bytes.len(),
            _ => 0,
        }
}
