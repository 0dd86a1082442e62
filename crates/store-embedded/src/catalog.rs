//! The catalog on SQLite: revisions as they were deployed, and how traffic is shared.
//!
//! It is written when people deploy and read when a node starts, so one connection behind a lock does.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{Catalog, StoreError, catalog::Deployed};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use types::{
    App, Digest, FunctionName, Timestamp,
    revision::{AppKey, Parts, Revision, RevisionNumber, Share},
};

use crate::{
    failpoint::{Failpoints, Passed, Point},
    folder::Folder,
    sqlite::{self, Schema, damaged, failure, int, uint},
    stop::Stop,
};

const SCHEMA: Schema = Schema { version: 1, sql: include_str!("catalog.sql") };

/// The catalog of one node.
pub(crate) struct CatalogStore(Arc<Inner>);

struct Inner {
    connection: Mutex<Connection>,
    stop: Stop,
    failpoints: Failpoints,
    _folder: Arc<Folder>,
}

impl CatalogStore {
    pub(crate) fn open(folder: Arc<Folder>, stop: Stop, failpoints: Failpoints) -> Result<Self, StoreError> {
        let connection = Mutex::new(sqlite::open_writer(&folder.catalog(), &SCHEMA)?);
        Ok(Self(Arc::new(Inner { connection, stop, failpoints, _folder: folder })))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.stop.check()?;
        let inner = self.0.clone();
        let task = tokio::task::spawn_blocking(move || work(&inner));
        task.await.unwrap_or_else(|error| Err(StoreError::Ambiguous(format!("a catalog task did not finish: {error}"))))
    }
}

impl Inner {
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        read(&self.connection.lock()).map_err(|error| failure(&error))
    }

    /// Runs the function inside a transaction, which is durable when this returns `Ok` and undone if the function refuses.
    fn write<T>(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, StoreError>>) -> Result<T, StoreError> {
        let mut connection = self.connection.lock();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
        let transaction = transaction.map_err(|error| failure(&error))?;
        let value = write(&transaction).map_err(|error| failure(&error))??;
        let committed = match self.failpoints.pass(Point::CatalogBeforeCommit) {
            Passed::Fail => Err("a failpoint failed the commit".to_owned()),
            Passed::On | Passed::Skip => match transaction.commit() {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => return Err(StoreError::Full),
                outcome => outcome.map_err(|error| format!("COMMIT failed: {error}")),
            },
        };
        self.failpoints.pass(Point::CatalogAfterCommit);
        match committed {
            Ok(()) => Ok(value),
            Err(text) => {
                self.stop.stop(&text);
                Err(StoreError::Ambiguous(text))
            }
        }
    }
}

#[async_trait]
impl Catalog for CatalogStore {
    async fn add(
        &self,
        key: &AppKey,
        after: Option<RevisionNumber>,
        app: App,
        artifacts: BTreeMap<FunctionName, Digest>,
        parts: Parts,
        now: Timestamp,
    ) -> Result<Revision, StoreError> {
        let key = key.clone();
        self.run(move |inner| inner.write(|connection| add(connection, &key, after, Deployment { app, artifacts, parts }, now)))
            .await
    }

    async fn serve(&self, key: &AppKey, shares: Vec<Share>) -> Result<(), StoreError> {
        let key = key.clone();
        self.run(move |inner| inner.write(|connection| serve(connection, &key, &shares))).await
    }

    async fn apps(&self) -> Result<Vec<Deployed>, StoreError> {
        self.run(|inner| inner.read(apps)).await
    }

    async fn revision(&self, key: &AppKey, number: RevisionNumber) -> Result<Option<Revision>, StoreError> {
        let key = key.clone();
        self.run(move |inner| inner.read(|connection| revision(connection, &key, number))).await
    }

    async fn revisions(&self, key: &AppKey) -> Result<Vec<Revision>, StoreError> {
        let key = key.clone();
        self.run(move |inner| inner.read(|connection| revisions(connection, &key))).await
    }

    async fn forget(&self, key: &AppKey, before: RevisionNumber) -> Result<usize, StoreError> {
        let key = key.clone();
        self.run(move |inner| inner.write(|connection| forget(connection, &key, before).map(Ok))).await
    }
}

/// What is deployed, as one argument.
struct Deployment {
    app: App,
    artifacts: BTreeMap<FunctionName, Digest>,
    parts: Parts,
}

/// The column `model`: the app's own keys, and `parts` beside them, which the first versions did not write.
#[derive(Serialize, Deserialize)]
struct Model<A, P> {
    #[serde(flatten)]
    app: A,
    #[serde(default)]
    parts: P,
}

fn add(
    connection: &Connection,
    key: &AppKey,
    after: Option<RevisionNumber>,
    deployment: Deployment,
    created: Timestamp,
) -> rusqlite::Result<Result<Revision, StoreError>> {
    let latest = latest(connection, key)?;
    if latest != after {
        let text = latest.map_or_else(|| "it is gone".into(), |latest| format!("its newest revision is {latest}"));
        return Ok(Err(StoreError::Changed(format!("{key}: {text}"))));
    }
    let number = RevisionNumber(after.map_or(1, |after| after.0 + 1));
    let Deployment { app, artifacts, parts } = deployment;
    let revision = Revision { number, app, artifacts, parts, created };
    let model = Model { app: &revision.app, parts: &revision.parts };
    let model = serde_json::to_string(&model).map_err(|error| unfit(&error))?;
    let artifacts = serde_json::to_string(&revision.artifacts).map_err(|error| unfit(&error))?;
    connection
        .prepare_cached(
            "INSERT INTO revision (app, env, number, created, model, artifacts, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            key.app.as_str(),
            key.env.as_str(),
            number.0,
            int(created.unix_ns()),
            model,
            artifacts,
            sum(&model, &artifacts)
        ])?;
    Ok(Ok(revision))
}

fn serve(connection: &Connection, key: &AppKey, shares: &[Share]) -> rusqlite::Result<Result<(), StoreError>> {
    if latest(connection, key)?.is_none() {
        return Ok(Err(StoreError::Missing(format!("app {key}"))));
    }
    let (app, env) = (key.app.as_str(), key.env.as_str());
    connection.prepare_cached("DELETE FROM share WHERE app = ?1 AND env = ?2")?.execute([app, env])?;
    for (place, share) in shares.iter().enumerate() {
        let mut known = connection.prepare_cached("SELECT 1 FROM revision WHERE app = ?1 AND env = ?2 AND number = ?3")?;
        if !known.exists(params![app, env, share.revision.0])? {
            return Ok(Err(StoreError::Missing(format!("revision {} of {key}", share.revision))));
        }
        connection
            .prepare_cached("INSERT INTO share (app, env, place, revision, weight) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![app, env, place as i64, share.revision.0, share.weight])?;
    }
    Ok(Ok(()))
}

fn latest(connection: &Connection, key: &AppKey) -> rusqlite::Result<Option<RevisionNumber>> {
    let mut query = connection.prepare_cached("SELECT max(number) FROM revision WHERE app = ?1 AND env = ?2")?;
    query.query_one([key.app.as_str(), key.env.as_str()], |row| Ok(row.get::<_, Option<u32>>(0)?.map(RevisionNumber)))
}

fn apps(connection: &Connection) -> rusqlite::Result<Vec<Deployed>> {
    let mut query =
        connection.prepare_cached("SELECT app, env, max(number) FROM revision GROUP BY app, env ORDER BY app, env")?;
    let rows = query.query_map([], |row| {
        let key = AppKey { app: parsed(row, 0)?, env: parsed(row, 1)? };
        Ok(Deployed { shares: shares(connection, &key)?, key, latest: RevisionNumber(row.get(2)?) })
    })?;
    rows.collect()
}

fn shares(connection: &Connection, key: &AppKey) -> rusqlite::Result<Vec<Share>> {
    let mut query = connection.prepare_cached("SELECT revision, weight FROM share WHERE app = ?1 AND env = ?2 ORDER BY place")?;
    let rows = query.query_map([key.app.as_str(), key.env.as_str()], |row| {
        Ok(Share { revision: RevisionNumber(row.get(0)?), weight: row.get(1)? })
    })?;
    rows.collect()
}

fn revision(connection: &Connection, key: &AppKey, number: RevisionNumber) -> rusqlite::Result<Option<Revision>> {
    let mut query = connection.prepare_cached(
        "SELECT number, created, model, artifacts, sum FROM revision WHERE app = ?1 AND env = ?2 AND number = ?3",
    )?;
    query.query_one(params![key.app.as_str(), key.env.as_str(), number.0], revision_of).optional()
}

fn revisions(connection: &Connection, key: &AppKey) -> rusqlite::Result<Vec<Revision>> {
    let mut query = connection.prepare_cached(
        "SELECT number, created, model, artifacts, sum FROM revision WHERE app = ?1 AND env = ?2 ORDER BY number DESC",
    )?;
    query.query_map([key.app.as_str(), key.env.as_str()], revision_of)?.collect()
}

fn forget(connection: &Connection, key: &AppKey, before: RevisionNumber) -> rusqlite::Result<usize> {
    let mut forget = connection.prepare_cached(
        "DELETE FROM revision WHERE app = ?1 AND env = ?2 AND number < ?3
           AND number < (SELECT max(number) FROM revision WHERE app = ?1 AND env = ?2)
           AND number NOT IN (SELECT revision FROM share WHERE app = ?1 AND env = ?2)",
    )?;
    forget.execute(params![key.app.as_str(), key.env.as_str(), before.0])
}

fn revision_of(row: &Row<'_>) -> rusqlite::Result<Revision> {
    let (model, artifacts): (String, String) = (row.get(2)?, row.get(3)?);
    let number = RevisionNumber(row.get(0)?);
    if sum(&model, &artifacts) != row.get::<_, u32>(4)? {
        return Err(damaged(format!("revision {number} does not match its sum")));
    }
    let unreadable = |error: serde_json::Error| damaged(format!("revision {number} can't be read: {error}"));
    let Model { app, parts } = serde_json::from_str(&model).map_err(unreadable)?;
    Ok(Revision {
        number,
        app,
        parts,
        artifacts: serde_json::from_str(&artifacts).map_err(unreadable)?,
        created: Timestamp::from_unix_ns(uint(row.get(1)?)),
    })
}

fn sum(model: &str, artifacts: &str) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(model.as_bytes()), artifacts.as_bytes())
}

fn parsed<T: std::str::FromStr<Err = types::id::InvalidId>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: types::id::InvalidId| damaged(error.to_string()))
}

fn unfit(error: &serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.to_string().into())
}
