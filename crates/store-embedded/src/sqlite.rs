//! How every SQLite file is opened, and what its errors mean to callers.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use ports::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use tokio::sync::Semaphore;

/// Connections of one file that are kept open for readers, and readers that work at once off the async threads.
const READERS_MAX: usize = 8;

/// What one kind of file holds. The version is kept in the file, so that an older dayfly refuses what it doesn't know.
pub(crate) struct Schema {
    pub(crate) version: i32,
    pub(crate) sql: &'static str,
}

/// Opens the file for its one writer; makes the tables if it is new.
pub(crate) fn open_writer(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    let (connection, version) = open_versioned(path)?;
    let create = || -> rusqlite::Result<()> {
        let Schema { version, sql } = schema;
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {version}; COMMIT;"))
    };
    match version {
        0 => create().map_err(|error| failure(&error))?,
        version if version == schema.version => {}
        version => return Err(unknown(path, version, schema.version)),
    }
    Ok(connection)
}

/// Opens a file whose tables came step by step, for its one writer; its version is the number of steps that it has. Applies what it lacks.
pub(crate) fn open_steps(path: &Path, steps: &[&str]) -> Result<Connection, StoreError> {
    let (connection, version) = open_versioned(path)?;
    let newest = i32::try_from(steps.len()).expect("there are few steps");
    let missing = usize::try_from(version).ok().and_then(|version| steps.get(version..));
    let Some(missing) = missing else { return Err(unknown(path, version, newest)) };
    if !missing.is_empty() {
        let sql = missing.join(";\n");
        let amended = connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {newest}; COMMIT;"));
        amended.map_err(|error| failure(&error))?;
    }
    Ok(connection)
}

fn open_versioned(path: &Path) -> Result<(Connection, i32), StoreError> {
    let open = || -> rusqlite::Result<(Connection, i32)> {
        let connection = Connection::open(path)?;
        configure(&connection, 65_536)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((connection, version))
    };
    open().map_err(|error| failure(&error))
}

/// Opens a file that exists for one who only moves its log.
pub(crate) fn open_beside(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection, 1_024)?;
    Ok(connection)
}

fn unknown(path: &Path, version: i32, newest: i32) -> StoreError {
    StoreError::Failed(format!("{} has format {version}, and this dayfly reads {newest}", path.display()))
}

fn configure(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    // The page size must come before the first table. NORMAL would lose acknowledged commits at a power cut.
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    // Without this the bundled SQLite plans a query again for each value that is bound to it: four fifths of the cost of a get.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

/// Connections for readers. They see what was committed when they begin and never wait for the writer.
///
/// To begin a transaction costs more than to look up a key, so an idle connection keeps its own open while nothing is committed. The
/// writer ends those before each COMMIT: they would keep it from reusing the log, and nobody may read what is older than was seen.
pub(crate) struct Readers {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Reader>>,
    /// Odd while a COMMIT is under way.
    commits: AtomicU64,
    /// Bounds the blocking threads that lists and watchers take.
    pub(crate) permits: Semaphore,
}

struct Reader {
    connection: Connection,
    /// The count of commits that its open transaction sees; `None` without one.
    sees: Option<u64>,
}

impl Readers {
    /// Readers of a file that exists.
    pub(crate) fn new(path: &Path) -> Self {
        let permits = Semaphore::new(READERS_MAX);
        Self { path: path.to_path_buf(), idle: Mutex::default(), commits: AtomicU64::new(0), permits }
    }

    /// Runs the reading function on one moment of the file, on the calling thread.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let taken = self.idle.lock().pop();
        let run = || {
            let mut reader = match taken {
                Some(reader) => reader,
                None => Reader { connection: self.open()?, sees: None },
            };
            reader.begin(self.commits.load(Ordering::SeqCst))?;
            let value = read(&reader.connection)?;
            self.put_back(reader)?;
            Ok(value)
        };
        // After a failure the connection is closed, whatever state it is in.
        run().map_err(|error: rusqlite::Error| failure(&error))
    }

    fn put_back(&self, mut reader: Reader) -> rusqlite::Result<()> {
        let mut idle = self.idle.lock();
        // Looked at under the lock: a COMMIT that begins now finds this reader among the idle ones.
        let commits = self.commits.load(Ordering::SeqCst);
        if reader.sees != Some(commits) || commits % 2 == 1 {
            reader.end()?;
        }
        if idle.len() < READERS_MAX {
            idle.push(reader);
        }
        Ok(())
    }

    /// Called by the writer right before COMMIT; `committed` must follow, whatever came of it.
    pub(crate) fn committing(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
        // One that can't end its transaction is closed.
        self.idle.lock().retain_mut(|reader| reader.end().is_ok());
    }

    /// Called by the writer after COMMIT and before anybody is told.
    pub(crate) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        // Most pages come from the mapped file; a small cache holds those that are still in the log.
        configure(&connection, 8_192)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

impl Reader {
    /// Sees everything that was committed until now.
    fn begin(&mut self, commits: u64) -> rusqlite::Result<()> {
        if self.sees != Some(commits) {
            self.end()?;
            self.connection.prepare_cached("BEGIN")?.execute([])?;
            self.sees = Some(commits);
        }
        Ok(())
    }

    fn end(&mut self) -> rusqlite::Result<()> {
        if self.sees.take().is_some() {
            self.connection.prepare_cached("ROLLBACK")?.execute([])?;
        }
        Ok(())
    }
}

/// What a failure before COMMIT means: nothing was written.
pub(crate) fn failure(error: &rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, cause) => StoreError::Damaged(cause.to_string()),
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..) => {
            StoreError::Damaged(error.to_string())
        }
        _ => match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(error.to_string()),
            _ => StoreError::Failed(error.to_string()),
        },
    }
}

/// A row that is not what was written, in the form that reading functions return.
pub(crate) fn damaged(text: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, text.into())
}

/// Unsigned to SQLite's signed integers. Revisions and sizes never come near the sign; times past the year 2262 become that year.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Back from SQLite's signed integers.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
