//! A connection as an app has it: it holds one of the engine's from its first statement until it is dropped.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use ports::{
    SqlConnection, StoreError,
    sql::{Rows, SqlAccess, Statement},
};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit};
use types::{Cause, limits};

use super::{
    capture::Captured,
    database::{Database, Databases},
    guard::Mode,
    handle::{Budget, Handle, Ran, Terms},
};

/// One connection of an app.
pub(super) struct EmbeddedConnection {
    databases: Arc<Databases>,
    database: Arc<Database>,
    session: Arc<Mutex<Session>>,
    flags: Arc<Flags>,
}

#[derive(Default)]
struct Flags {
    in_transaction: AtomicBool,
    /// Nobody waits any more: what runs stops.
    abandoned: Arc<AtomicBool>,
}

/// What the work on a connection needs, one statement at a time.
struct Session {
    databases: Arc<Databases>,
    database: Arc<Database>,
    mode: Mode,
    generation: u64,
    handle: Option<Handle>,
    place: Option<OwnedSemaphorePermit>,
    /// Held until the transaction ends.
    writer: Option<OwnedSemaphorePermit>,
    flags: Arc<Flags>,
}

impl EmbeddedConnection {
    pub(super) fn new(databases: Arc<Databases>, database: Arc<Database>, access: SqlAccess) -> Self {
        let flags = Arc::new(Flags::default());
        let session = Session {
            databases: databases.clone(),
            database: database.clone(),
            mode: if access == SqlAccess::Read { Mode::Reads } else { Mode::Writes },
            generation: database.generation(),
            handle: None,
            place: None,
            writer: None,
            flags: flags.clone(),
        };
        Self { databases, database, session: Arc::new(Mutex::new(session)), flags }
    }

    /// Takes the connection for one call.
    async fn enter(&self) -> Result<OwnedMutexGuard<Session>, StoreError> {
        self.databases.stop.check()?;
        let mut session = self.session.clone().lock_owned().await;
        if session.generation != self.database.generation() {
            let name = &self.database.name.0;
            return Err(StoreError::Failed(format!("{name} was restored after this connection was opened; open another")));
        }
        if session.place.is_none() {
            session.place = Some(self.databases.place().await?);
        }
        Ok(session)
    }

    /// Runs the work where it may block. Goes on when the caller is gone: the statement ends by itself.
    async fn work<T: Send + 'static>(
        &self,
        mut session: OwnedMutexGuard<Session>,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<(OwnedMutexGuard<Session>, T), StoreError> {
        let run = move || {
            let value = work(&mut session);
            (session, value)
        };
        self.databases.blocking(&self.database, run).await
    }
}

#[async_trait]
impl SqlConnection for EmbeddedConnection {
    /// # Cancel safety
    /// A dropped call may still take effect.
    async fn run(&self, statement: Statement, cause: Option<Cause>) -> Result<Rows, StoreError> {
        let mut session = self.enter().await?;
        let statement = Arc::new(statement);
        loop {
            let shared = statement.clone();
            let (mut back, ran) = self.work(session, move |session| session.run(&shared, cause)).await?;
            match ran? {
                Ran::Done(rows) => return Ok(rows),
                Ran::NeedsWriter => back.writer = Some(self.databases.writer(&self.database).await?),
            }
            session = back;
        }
    }

    /// # Cancel safety
    /// As [`run`](Self::run).
    async fn batch(&self, statements: Vec<Statement>, cause: Option<Cause>) -> Result<Vec<Rows>, StoreError> {
        let (measured, allowed) = (statements.len() as u64, limits::SQL_BATCH as u64);
        if measured > allowed {
            return Err(StoreError::TooMany { what: "statements", measured, allowed });
        }
        let mut session = self.enter().await?;
        if !session.mode.is_reading() && session.writer.is_none() {
            session.writer = Some(self.databases.writer(&self.database).await?);
        }
        let (_session, rows) = self.work(session, move |session| session.batch(&statements, cause)).await?;
        rows
    }

    fn in_transaction(&self) -> bool {
        self.flags.in_transaction.load(Ordering::SeqCst)
    }
}

impl Drop for EmbeddedConnection {
    fn drop(&mut self) {
        self.flags.abandoned.store(true, Ordering::SeqCst);
    }
}

impl Session {
    fn run(&mut self, statement: &Statement, cause: Option<Cause>) -> Result<Ran, StoreError> {
        let (mode, is_writer) = (self.mode, self.writer.is_some());
        self.with(cause, |handle, captured| handle.run(statement, Terms { mode, captured, is_writer }, &mut Budget::new()))
    }

    fn batch(&mut self, statements: &[Statement], cause: Option<Cause>) -> Result<Vec<Rows>, StoreError> {
        let mode = self.mode;
        self.with(cause, |handle, captured| {
            let (terms, mut budget) = (Terms { mode: mode.within(), captured, is_writer: true }, Budget::new());
            handle.guard.set(terms.mode);
            handle.whole(|handle| {
                let run = |(index, statement)| match handle.run(statement, terms, &mut budget) {
                    Ok(Ran::Done(rows)) => Ok(rows),
                    Ok(Ran::NeedsWriter) => unreachable!("a batch that may write has the right to"),
                    Err(StoreError::Rejected(text)) => Err(StoreError::Rejected(format!("statement {}: {text}", index + 1))),
                    Err(error) => Err(error),
                };
                statements.iter().enumerate().map(run).collect()
            })
        })
    }

    /// Runs the work on the connection, then notes how that left it.
    fn with<T>(
        &mut self,
        cause: Option<Cause>,
        work: impl FnOnce(&Handle, &Captured) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // It is gone while the work runs: after a panic nobody uses it again.
        let handle = match self.handle.take() {
            Some(handle) => handle,
            None => self.databases.take(&self.database, self.mode)?,
        };
        handle.guard.stop_with(self.flags.abandoned.clone());
        handle.begin(limits::SQL_TIME, cause);
        let outcome = work(&handle, &self.database.captured());
        let in_transaction = handle.in_transaction();
        self.flags.in_transaction.store(in_transaction, Ordering::SeqCst);
        if !in_transaction {
            self.writer = None;
            if handle.guard.take_noted() {
                self.database.tell();
            }
        }
        self.handle = Some(handle);
        outcome
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            // Rolls back what is open, before the right to write goes on.
            self.databases.give_back(self.database.clone(), self.mode, self.generation, handle);
        }
    }
}
