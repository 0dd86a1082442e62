//! Whole databases out and in: dumped as the engine's file from one moment, restored all or nothing.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use ports::{Body, BodyError, StoreError};
use rusqlite::{
    Connection, Transaction, TransactionBehavior,
    backup::{Backup, StepResult},
    params,
};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use types::limits;

use super::{
    database::{Database, Databases, cannot, make_tables},
    guard::Mode,
    handle::Handle,
};
use crate::{failpoint::Point, folder::sync_dir, sqlite::damaged};

/// A dump is read in pieces of this size.
const PIECE: usize = 64 << 10;
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file that goes away with its last user, whatever happens.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    fn new(databases: &Databases) -> Result<Self, StoreError> {
        let folder = folder_of(&databases.root);
        fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
        Ok(Self(folder.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            // What is left is removed at the next start.
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}

/// Where half-made files lie. It begins with a dot, so no app can have the name.
fn folder_of(root: &Path) -> PathBuf {
    root.join(".tmp")
}

/// Removes what a process left that died.
pub(super) fn sweep(root: &Path) -> Result<(), StoreError> {
    let folder = folder_of(root);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("empty", &folder, &error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Copies the database to a file of its own, opened for reading.
pub(super) fn dump(databases: &Databases, database: &Arc<Database>) -> Result<File, StoreError> {
    let generation = database.generation();
    let handle = databases.take(database, Mode::Own)?;
    let scratch = Scratch::new(databases)?;
    let copied = handle.own(|from| {
        let mut to = Connection::open(&scratch.0)?;
        copy_all(from, &mut to)?;
        // Otherwise the file would need another beside it to be read.
        to.pragma_update(None, "journal_mode", "delete")
    });
    databases.give_back(database.clone(), Mode::Own, generation, handle);
    copied?;
    // Its name goes now and its bytes when the last reader is done.
    File::open(&scratch.0).map_err(|error| cannot("open", &scratch.0, &error))
}

/// Copies all pages in one step: what is copied is from one moment, and is one transaction there.
fn copy_all(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    match Backup::new(from, to)?.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)),
    }
}

/// The file as a body.
pub(super) fn stream(file: File) -> Result<Body, StoreError> {
    let left = file.metadata().map_err(|error| StoreError::Failed(format!("cannot read the dump: {error}")))?.len();
    Ok(Body::stream(FileBody { file: tokio::fs::File::from_std(file), left, piece: BytesMut::zeroed(PIECE) }))
}

struct FileBody {
    file: tokio::fs::File,
    left: u64,
    piece: BytesMut,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { file, left, piece } = &mut *self;
        if *left == 0 {
            return Poll::Ready(None);
        }
        let mut buffer = ReadBuf::new(piece);
        std::task::ready!(Pin::new(file).poll_read(cx, &mut buffer)).map_err(|error| BodyError::Broken(error.to_string()))?;
        let read = buffer.filled();
        if read.is_empty() {
            return Poll::Ready(Some(Err(BodyError::Broken("the dump is shorter than it was".into()))));
        }
        *left = left.saturating_sub(read.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }
    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Writes the body to a file of its own.
pub(super) async fn receive(databases: &Databases, mut body: Body) -> Result<Scratch, StoreError> {
    let scratch = Scratch::new(databases)?;
    let failed = |error: io::Error| cannot("write", &scratch.0, &error);
    let mut file = tokio::fs::File::create(&scratch.0).await.map_err(failed)?;
    let (mut measured, allowed) = (0, limits::OBJECT_WHOLE.0);
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| StoreError::Failed(format!("the database did not come whole: {error}")))?;
        let Ok(piece) = frame.into_data() else { continue };
        measured += piece.len() as u64;
        if measured > allowed {
            return Err(StoreError::TooLarge { what: "database", measured, allowed });
        }
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    drop(file);
    Ok(scratch)
}

/// Replaces the database by the file, if it is whole. Only the writer may.
pub(super) fn restore(databases: &Databases, database: &Arc<Database>, scratch: &Scratch) -> Result<(), StoreError> {
    check(databases, scratch)?;
    let new = databases.open(&scratch.0)?;
    match replace(databases, database, &new) {
        // What is there can't be read, so it can't be written over page by page either.
        Err(StoreError::Damaged(_)) => exchange(databases, database, scratch, new),
        replaced => replaced,
    }
}

/// Looks at every page, at the platform's tables, and gives the file the form of ours.
fn check(databases: &Databases, scratch: &Scratch) -> Result<(), StoreError> {
    let length = fs::metadata(&scratch.0).map_err(|error| cannot("read", &scratch.0, &error))?.len();
    if length == 0 {
        return Err(StoreError::Damaged("the file is empty".into()));
    }
    let handle = databases.open(&scratch.0)?;
    let found: String = handle.own(|connection| connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)))?;
    if found != "ok" {
        return Err(StoreError::Damaged(format!("the file is not a whole database: {found}")));
    }
    let (page, encoding): (i64, String) = handle.own(|connection| {
        let page = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        Ok((page, connection.query_row("PRAGMA encoding", [], |row| row.get(0))?))
    })?;
    if encoding != "UTF-8" {
        return Err(StoreError::Rejected(format!("the database's text is {encoding}, and only UTF-8 is served")));
    }
    if page != 4096 {
        handle.own(|connection| {
            connection.pragma_update(None, "journal_mode", "delete")?;
            connection.execute_batch("PRAGMA page_size = 4096; VACUUM; PRAGMA journal_mode = wal")
        })?;
    }
    match handle.own(foreign_object)? {
        Some(name) => Err(StoreError::Rejected(format!("the database has {name}, which is a name of the platform"))),
        None => handle.own(make_tables),
    }
}

/// Something under a name of ours that is not ours: the file may come from anywhere.
fn foreign_object(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let ours = Connection::open_in_memory()?;
    make_tables(&ours)?;
    let query = "SELECT name, type, tbl_name, ifnull(sql, '') FROM sqlite_master
                 WHERE name LIKE '\\_dayfly\\_%' ESCAPE '\\' OR tbl_name LIKE '\\_dayfly\\_%' ESCAPE '\\'";
    let objects = |connection: &Connection| -> rusqlite::Result<Vec<[String; 4]>> {
        let mut query = connection.prepare(query)?;
        query.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?.collect()
    };
    let known = objects(&ours)?;
    Ok(objects(connection)?.into_iter().find(|object| !known.contains(object)).map(|[name, ..]| name))
}

/// Writes all pages of the new one over the old one in one transaction.
fn replace(databases: &Databases, database: &Arc<Database>, new: &Handle) -> Result<(), StoreError> {
    let mut old = databases.take(database, Mode::Own)?;
    let path = database.path.to_str().ok_or_else(|| StoreError::Failed("the data folder's name is not UTF-8".into()))?;
    new.own(|connection| carry(connection, path))?;
    databases.failpoints.pass(Point::SqlBeforeRestore);
    let copied = old.own_mut(|to| copy_all(&new.connection, to));
    database.replaced();
    copied
}

/// What is the platform's stays as it is: which tables are captured, and changes that nobody took yet.
fn carry(new: &Connection, old: &str) -> rusqlite::Result<()> {
    new.execute("ATTACH ?1 AS old", [old])?;
    let transaction = Transaction::new_unchecked(new, TransactionBehavior::Immediate)?;
    for table in ["_dayfly_change", "_dayfly_capture", "_dayfly_forgotten"] {
        transaction.execute_batch(&format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM old.{table}"))?;
    }
    transaction.commit()?;
    new.execute_batch("DETACH old")
}

/// Puts the new file in the place of one that can't be read.
fn exchange(databases: &Databases, database: &Arc<Database>, scratch: &Scratch, new: Handle) -> Result<(), StoreError> {
    database.replaced();
    databases.close_idle(database);
    // Sequences go on above all that were ever given: nobody wrote a row each millisecond since 1970.
    let floor = databases.clock.now().unix_ms();
    new.own(|connection| begin_above(connection, floor))?;
    new.own(|connection| connection.pragma_update(None, "journal_mode", "delete"))?;
    drop(new);
    let failed = |what: &'static str| move |error: io::Error| cannot(what, &database.path, &error);
    File::open(&scratch.0).and_then(|file| file.sync_all()).map_err(failed("sync"))?;
    for ending in ["-wal", "-shm"] {
        match fs::remove_file(beside(&database.path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("remove")(error)),
            _ => {}
        }
    }
    fs::rename(&scratch.0, &database.path).map_err(failed("rename"))?;
    sync_dir(database.path.parent().unwrap_or(&databases.root)).map_err(failed("sync"))?;
    database.replaced();
    Ok(())
}

/// Removes the database's files. The name goes first: what is left beside it without it is nothing. Only the writer may.
pub(super) fn remove(databases: &Databases, database: &Arc<Database>) -> Result<(), StoreError> {
    database.replaced();
    databases.close_idle(database);
    for ending in ["", "-wal", "-shm"] {
        match fs::remove_file(beside(&database.path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot("remove", &database.path, &error)),
            _ => {}
        }
    }
    let folder = database.path.parent().unwrap_or(&databases.root);
    sync_dir(folder).map_err(|error| cannot("sync", folder, &error))?;
    database.replaced();
    Ok(())
}

fn begin_above(connection: &Connection, floor: u64) -> rusqlite::Result<()> {
    let floor = crate::sqlite::int(floor);
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let newest: i64 = transaction.query_row("SELECT ifnull(max(seq), 0) FROM _dayfly_change", [], |row| row.get(0))?;
    if newest >= floor {
        return Err(damaged("the sequence of its row changes is beyond all that can be".into()));
    }
    transaction.execute("DELETE FROM _dayfly_change", [])?;
    transaction.execute("INSERT INTO _dayfly_change (seq, tbl, op, columns) VALUES (?1, '', 0, '[]')", params![floor])?;
    transaction.execute("UPDATE _dayfly_forgotten SET upto = ?1", params![floor])?;
    transaction.commit()
}
