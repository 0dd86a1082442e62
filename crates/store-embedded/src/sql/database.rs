//! The open databases: one right to write each, connections that wait for their next user, and bounds on all of it.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use ports::{Clock, StoreError, sql::DatabaseName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use types::{Elapsed, limits};

use super::{
    capture::{self, Captured},
    errors,
    guard::{Guard, Mode},
    handle::Handle,
    names,
};
use crate::{
    failpoint::Failpoints,
    folder::{Folder, sync_dir},
    stop::Stop,
};

/// Connections that are in use at once on one node; each takes some files and up to 2 MiB.
const OPEN_MAX: usize = 256;
/// Connections that are kept open without a user.
const IDLE_MAX: usize = 64;
/// Statements that run at once on one node.
const RUNNING_MAX: usize = 32;
/// Statements that run at once on one database: so one does not take all of them.
const RUNNING_OF_ONE_MAX: usize = 8;
/// Databases that are known although nobody uses them.
const KNOWN_MAX: usize = 1_024;

/// One database.
pub(super) struct Database {
    pub(super) name: DatabaseName,
    pub(super) path: PathBuf,
    /// The right to write. It is waited for without a thread, in order.
    writer: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// `None` until the file was looked at.
    captured: Mutex<Option<Arc<Captured>>>,
    /// Grows when all of it is replaced.
    generation: AtomicU64,
    changed: watch::Sender<()>,
}

impl Database {
    fn new(name: DatabaseName, path: PathBuf) -> Self {
        let one = |permits| Arc::new(Semaphore::new(permits));
        Self {
            name,
            path,
            writer: one(1),
            running: one(RUNNING_OF_ONE_MAX),
            captured: Mutex::default(),
            generation: AtomicU64::new(0),
            changed: watch::Sender::default(),
        }
    }
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }
    pub(super) fn captured(&self) -> Arc<Captured> {
        self.captured.lock().clone().unwrap_or_default()
    }
    pub(super) fn set_captured(&self, tables: Vec<String>) {
        let mut captured = self.captured.lock();
        let generation = captured.as_ref().map_or(0, |captured| captured.generation) + 1;
        *captured = Some(Arc::new(Captured { tables, generation }));
    }
    /// All of it is another now: who has a connection finds out.
    pub(super) fn replaced(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        *self.captured.lock() = None;
        self.tell();
    }
    /// A change may have been noted.
    pub(super) fn tell(&self) {
        self.changed.send_replace(());
    }
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

struct Idle {
    database: Arc<Database>,
    mode: Mode,
    generation: u64,
    handle: Handle,
}

/// All databases of one node.
pub(super) struct Databases {
    pub(super) root: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: Stop,
    pub(super) failpoints: Failpoints,
    known: Mutex<BTreeMap<DatabaseName, Arc<Database>>>,
    /// The one that was used last is at the end.
    idle: Mutex<VecDeque<Idle>>,
    open: Arc<Semaphore>,
    running: Arc<Semaphore>,
    _folder: Arc<Folder>,
}

impl Databases {
    pub(super) fn new(folder: Arc<Folder>, clock: Arc<dyn Clock>, stop: Stop, failpoints: Failpoints) -> Self {
        Self {
            root: folder.sql(),
            clock,
            stop,
            failpoints,
            known: Mutex::default(),
            idle: Mutex::default(),
            open: Arc::new(Semaphore::new(OPEN_MAX)),
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            _folder: folder,
        }
    }

    /// The database of this name, whether or not there is a file yet.
    pub(super) fn find(&self, name: &DatabaseName) -> Result<Arc<Database>, StoreError> {
        self.stop.check()?;
        let path = names::path_of(&self.root, name)?;
        let mut known = self.known.lock();
        if known.len() >= KNOWN_MAX {
            known.retain(|_, database| Arc::strong_count(database) > 1);
        }
        Ok(known.entry(name.clone()).or_insert_with(|| Arc::new(Database::new(name.clone(), path))).clone())
    }

    /// A place among the connections in use.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let what = format!("all {OPEN_MAX} SQL connections of the node are in use");
        self.within(limits::SQL_TIME, self.open.clone().acquire_owned(), what).await
    }

    /// The right to write, once whoever has it is done.
    pub(super) async fn writer(&self, database: &Database) -> Result<OwnedSemaphorePermit, StoreError> {
        let what = format!("{} is busy: another connection has not ended its transaction", database.name.0);
        self.within(limits::SQL_TIME, database.writer.clone().acquire_owned(), what).await
    }

    async fn within(
        &self,
        time: std::time::Duration,
        permit: impl Future<Output = Result<OwnedSemaphorePermit, tokio::sync::AcquireError>>,
        what: String,
    ) -> Result<OwnedSemaphorePermit, StoreError> {
        let end = self.clock.monotonic_ns().saturating_add(Elapsed::from(time).ns());
        tokio::select! {
            biased;
            permit = permit => Ok(permit.expect("the semaphores are never closed")),
            () = self.clock.sleep_until(end) => Err(StoreError::Failed(format!("{what} for {}", Elapsed::from(time)))),
        }
    }

    /// Runs the work on a thread that may block.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        database: &Database,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = "the semaphores are never closed";
        let _one = database.running.clone().acquire_owned().await.expect(permit);
        let _all = self.running.clone().acquire_owned().await.expect(permit);
        let task = tokio::task::spawn_blocking(move || (work(), _one, _all));
        let ended =
            task.await.map_err(|error| StoreError::Ambiguous(format!("the work on a database did not finish: {error}")))?;
        Ok(ended.0)
    }

    /// A connection: one that waits, or a new one.
    pub(super) fn take(&self, database: &Arc<Database>, mode: Mode) -> Result<Handle, StoreError> {
        self.prepare(database)?;
        let generation = database.generation();
        let is_fit = |idle: &Idle| Arc::ptr_eq(&idle.database, database) && idle.mode == mode && idle.generation == generation;
        let found = {
            let mut idle = self.idle.lock();
            let place = idle.iter().rposition(is_fit);
            place.and_then(|place| idle.remove(place))
        };
        match found {
            Some(idle) => Ok(idle.handle),
            None => self.open(&database.path),
        }
    }

    /// A new connection to a file.
    pub(super) fn open(&self, path: &Path) -> Result<Handle, StoreError> {
        let guard = Guard::new(self.clock.clone());
        Handle::open(path, guard.clone(), self.stop.clone(), self.failpoints.clone())
            .map_err(|error| errors::of_own(&error, &guard, &self.stop))
    }

    /// Keeps the connection for its next user, if it is as good as new.
    pub(super) fn give_back(&self, database: Arc<Database>, mode: Mode, generation: u64, handle: Handle) {
        if !handle.clean() || database.generation() != generation {
            return close(handle);
        }
        let oldest = {
            let mut idle = self.idle.lock();
            idle.push_back(Idle { database, mode, generation, handle });
            if idle.len() > IDLE_MAX { idle.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            close(oldest.handle);
        }
    }

    /// Closes the connections to a database that wait.
    pub(super) fn close_idle(&self, database: &Arc<Database>) {
        self.idle.lock().retain(|idle| !Arc::ptr_eq(&idle.database, database));
    }

    /// Makes the file if it is new, and reads which tables are captured.
    fn prepare(&self, database: &Database) -> Result<(), StoreError> {
        let mut captured = database.captured.lock();
        if captured.is_some() {
            return Ok(());
        }
        let is_new = !database.path.exists();
        if is_new {
            self.make_folders(&database.path)?;
        }
        let handle = self.open(&database.path)?;
        handle.own(make_tables)?;
        if is_new {
            let folder = database.path.parent().unwrap_or(&self.root);
            sync_dir(folder).map_err(|error| cannot("sync", folder, &error))?;
        }
        let tables = handle.own(capture::read_list)?;
        // Another number than before a restore, so that triggers are looked at anew.
        *captured = Some(Arc::new(Captured { tables, generation: database.generation() << 32 }));
        Ok(())
    }

    fn make_folders(&self, path: &Path) -> Result<(), StoreError> {
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
        let above = folder.ancestors().take_while(|above| above.starts_with(&self.root));
        above.chain(self.root.parent()).try_for_each(|above| sync_dir(above).map_err(|error| cannot("sync", above, &error)))
    }
}

const TABLES: &str = include_str!("tables.sql");

/// Makes the platform's tables if the file has none.
pub(super) fn make_tables(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    let is_made = "SELECT 1 FROM sqlite_master WHERE name = '_dayfly_forgotten'";
    if !connection.prepare(is_made)?.exists([])? {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES}; COMMIT"))?;
    }
    Ok(())
}

/// Closing writes the log into the file, so it is done where that may block.
fn close(handle: Handle) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(handle))),
        Err(_) => drop(handle),
    }
}

pub(super) fn cannot(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    if crate::folder::is_full(error) {
        return StoreError::Full;
    }
    StoreError::Failed(format!("cannot {what} {}: {error}", path.display()))
}
