//! SQL databases of apps: one SQLite file each, so that damage to one is an error of that one and of no other.
//!
//! ```text
//! sql/<app>/<env>/<name>.sqlite   the app's tables, and the platform's, whose names begin with _dayfly_
//! sql/.tmp/                       dumps and restores under way; emptied at start
//! ```
//!
//! [`handle`] is a connection of the engine, [`guard`] says what may run on it, [`database`] keeps connections and the right to write,
//! [`connection`] is what an app holds. [`capture`] notes row changes, [`migrate`] and [`copy`] are for deployments and people.

mod capture;
mod connection;
mod copy;
mod database;
mod errors;
mod guard;
mod handle;
mod migrate;
mod names;

use std::sync::Arc;

use async_trait::async_trait;
use ports::{
    Body, BoxFuture, Clock, Sql, SqlConnection, StoreError,
    sql::{DatabaseName, Migration, RowChanged, SqlAccess},
};
use types::Cause;

use crate::{failpoint::Failpoints, folder::Folder, stop::Stop};
use connection::EmbeddedConnection;
use database::{Database, Databases};
use guard::Mode;
use handle::Handle;

/// Tables of one database whose changes are noted.
const CAPTURED_MAX: usize = 100;

/// The databases of one node.
pub(crate) struct SqlStore {
    databases: Arc<Databases>,
}

impl SqlStore {
    pub(crate) fn open(
        folder: Arc<Folder>,
        clock: Arc<dyn Clock>,
        stop: Stop,
        failpoints: Failpoints,
    ) -> Result<Self, StoreError> {
        copy::sweep(&folder.sql())?;
        Ok(Self { databases: Arc::new(Databases::new(folder, clock, stop, failpoints)) })
    }

    /// Runs the platform's own work on a connection of its own.
    async fn own<T: Send + 'static>(
        &self,
        database: &Arc<Database>,
        work: impl FnOnce(&Databases, &Arc<Database>, &Handle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (databases, shared) = (self.databases.clone(), database.clone());
        let run = move || {
            let generation = shared.generation();
            let handle = databases.take(&shared, Mode::Own)?;
            let outcome = work(&databases, &shared, &handle);
            databases.give_back(shared, Mode::Own, generation, handle);
            outcome
        };
        self.databases.blocking(database, run).await?
    }

    /// The same with the right to write.
    async fn own_writing<T: Send + 'static>(
        &self,
        name: &DatabaseName,
        work: impl FnOnce(&Databases, &Arc<Database>, &Handle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.databases.find(name)?;
        let _writer = self.databases.writer(&database).await?;
        self.own(&database, work).await
    }

    /// The database if there is a file of it.
    fn existing(&self, name: &DatabaseName) -> Result<Option<Arc<Database>>, StoreError> {
        let database = self.databases.find(name)?;
        Ok(database.path.exists().then_some(database))
    }
}

#[async_trait]
impl Sql for SqlStore {
    async fn connect(&self, name: &DatabaseName, access: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError> {
        let database = self.databases.find(name)?;
        Ok(Arc::new(EmbeddedConnection::new(self.databases.clone(), database, access)))
    }

    async fn migrate(&self, name: &DatabaseName, migrations: &[Migration]) -> Result<Vec<String>, StoreError> {
        let wanted = migrations.to_vec();
        let applied = self.own_writing(name, move |databases, database, handle| {
            let applied = handle.own(migrate::applied)?;
            let captured = database.captured();
            let mut names = Vec::new();
            for migration in migrate::missing(&applied, &wanted)? {
                migrate::apply(handle, &captured, migration, &databases.stop)?;
                names.push(migration.name.clone());
            }
            if handle.guard.take_noted() {
                database.tell();
            }
            Ok(names)
        });
        applied.await
    }

    async fn migrated(&self, name: &DatabaseName) -> Result<Vec<Migration>, StoreError> {
        let Some(database) = self.existing(name)? else { return Ok(vec![]) };
        self.own(&database, |_, _, handle| handle.own(migrate::applied)).await
    }

    async fn capture(&self, name: &DatabaseName, tables: &[String]) -> Result<(), StoreError> {
        let mut tables = tables.to_vec();
        tables.sort();
        tables.dedup();
        if tables.len() > CAPTURED_MAX {
            let (measured, allowed) = (tables.len() as u64, CAPTURED_MAX as u64);
            return Err(StoreError::TooMany { what: "tables", measured, allowed });
        }
        if let Some(table) =
            tables.iter().find(|table| guard::is_ours(table) || table.to_ascii_lowercase().starts_with("sqlite_"))
        {
            return Err(StoreError::Rejected(format!("changes of {table} can't be captured")));
        }
        let write = move |_: &Databases, database: &Arc<Database>, handle: &Handle| {
            if database.captured().tables != tables {
                handle.own(|connection| capture::write_list(connection, &tables))?;
                database.set_captured(tables);
            }
            Ok(())
        };
        self.own_writing(name, write).await
    }

    async fn changes(&self, name: &DatabaseName, above: u64, max: usize) -> Result<Vec<(RowChanged, Option<Cause>)>, StoreError> {
        let Some(database) = self.existing(name)? else { return Ok(vec![]) };
        self.own(&database, move |_, _, handle| handle.own(|connection| capture::changes(connection, above, max))).await
    }

    async fn forget(&self, name: &DatabaseName, upto: u64) -> Result<(), StoreError> {
        if self.existing(name)?.is_none() {
            return Ok(());
        }
        self.own_writing(name, move |_, _, handle| handle.own(|connection| capture::forget(connection, upto))).await
    }

    fn changed(&self, name: &DatabaseName) -> BoxFuture<()> {
        match self.databases.find(name) {
            Ok(database) => {
                let mut changed = database.subscribe();
                // It also ends when the store is closed.
                Box::pin(async move { drop(changed.changed().await) })
            }
            Err(_) => Box::pin(std::future::ready(())),
        }
    }

    async fn databases(&self, prefix: &str) -> Result<Vec<DatabaseName>, StoreError> {
        self.databases.stop.check()?;
        let (root, prefix) = (self.databases.root.clone(), prefix.to_owned());
        let task = tokio::task::spawn_blocking(move || {
            names::all(&root, &prefix).map_err(|error| database::cannot("list", &root, &error))
        });
        task.await.unwrap_or_else(|error| Err(StoreError::Failed(format!("the list was not finished: {error}"))))
    }

    async fn dump(&self, name: &DatabaseName) -> Result<Body, StoreError> {
        let database = self.existing(name)?.ok_or_else(|| StoreError::Missing(format!("the database {}", name.0)))?;
        let (databases, shared) = (self.databases.clone(), database.clone());
        let file = self.databases.blocking(&database, move || copy::dump(&databases, &shared)).await??;
        copy::stream(file)
    }

    async fn restore(&self, name: &DatabaseName, file: Body) -> Result<(), StoreError> {
        let database = self.databases.find(name)?;
        let scratch = copy::receive(&self.databases, file).await?;
        let writer = self.databases.writer(&database).await?;
        let (databases, shared) = (self.databases.clone(), database.clone());
        let run = move || {
            let restored = copy::restore(&databases, &shared, &scratch);
            drop(writer);
            restored
        };
        self.databases.blocking(&database, run).await?
    }

    async fn remove(&self, name: &DatabaseName) -> Result<(), StoreError> {
        let Some(database) = self.existing(name)? else { return Ok(()) };
        let writer = self.databases.writer(&database).await?;
        let (databases, shared) = (self.databases.clone(), database.clone());
        let run = move || {
            let removed = copy::remove(&databases, &shared);
            drop(writer);
            removed
        };
        self.databases.blocking(&database, run).await?
    }
}
