//! Databases: functions connect to them and run statements. What a statement does happens at once: no unit spans it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{Body, BoxFuture, Sql, SqlConnection, StoreError};
use types::{
    Cause,
    app::Access,
    journal::{Operation, Reply, SqlCall},
    limits,
    sql::{DatabaseName, Migration, RowChanged, Rows, SqlAccess, Statement},
};

use super::service::{Granted, Service, another_kind, not_for_functions};

/// A database as a runtime sees it.
pub(crate) struct Front {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) name: String,
    /// Numbers the connections of the invocation, whatever database they are to.
    pub(crate) connections: Arc<AtomicU32>,
}

/// What a grant lets one connect with.
pub(crate) fn access_of(access: Access) -> SqlAccess {
    match access {
        Access::Read => SqlAccess::Read,
        Access::ReadWrite => SqlAccess::ReadWrite,
    }
}

#[async_trait]
impl Sql for Front {
    async fn connect(&self, _: &DatabaseName, _: SqlAccess) -> Result<Arc<dyn SqlConnection>, StoreError> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let front = Connection {
            service: self.service.clone(),
            database: self.name.clone(),
            connection,
            in_transaction: AtomicBool::new(false),
        };
        match front.ask(SqlCall::Connect).await? {
            Reply::SqlConnected => Ok(Arc::new(front)),
            _ => another_kind(),
        }
    }
    async fn migrate(&self, _: &DatabaseName, _: &[Migration]) -> Result<Vec<String>, StoreError> {
        not_for_functions("migrating databases")
    }
    async fn migrated(&self, _: &DatabaseName) -> Result<Vec<Migration>, StoreError> {
        not_for_functions("looking at migrations")
    }
    async fn capture(&self, _: &DatabaseName, _: &[String]) -> Result<(), StoreError> {
        not_for_functions("capturing changes")
    }
    async fn changes(&self, _: &DatabaseName, _: u64, _: usize) -> Result<Vec<(RowChanged, Option<Cause>)>, StoreError> {
        not_for_functions("reading captured changes")
    }
    async fn forget(&self, _: &DatabaseName, _: u64) -> Result<(), StoreError> {
        not_for_functions("forgetting captured changes")
    }
    fn changed(&self, _: &DatabaseName) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
    async fn databases(&self, _: &str) -> Result<Vec<DatabaseName>, StoreError> {
        not_for_functions("listing databases")
    }
    async fn remove(&self, _: &DatabaseName) -> Result<(), StoreError> {
        not_for_functions("removing databases")
    }
    async fn dump(&self, _: &DatabaseName) -> Result<Body, StoreError> {
        not_for_functions("dumping databases")
    }
    async fn restore(&self, _: &DatabaseName, _: Body) -> Result<(), StoreError> {
        not_for_functions("restoring databases")
    }
}

struct Connection {
    service: Arc<dyn Service>,
    database: String,
    connection: u32,
    /// As of the last answer.
    in_transaction: AtomicBool,
}

impl Connection {
    async fn ask(&self, call: SqlCall) -> Result<Reply, StoreError> {
        let operation = Operation::Sql { database: self.database.clone(), connection: self.connection, call };
        Ok(self.service.call(operation, Body::Empty).await?.0)
    }
    async fn rows(&self, call: SqlCall) -> Result<Vec<Rows>, StoreError> {
        match self.ask(call).await? {
            Reply::SqlRows { rows, in_transaction } => {
                self.in_transaction.store(in_transaction, Ordering::Relaxed);
                Ok(rows)
            }
            _ => another_kind(),
        }
    }
}

#[async_trait]
impl SqlConnection for Connection {
    async fn run(&self, statement: Statement, _: Option<Cause>) -> Result<Rows, StoreError> {
        self.rows(SqlCall::Run(statement)).await?.pop().map_or_else(another_kind, Ok)
    }
    async fn batch(&self, statements: Vec<Statement>, _: Option<Cause>) -> Result<Vec<Rows>, StoreError> {
        self.rows(SqlCall::Batch(statements)).await
    }
    fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.service.close(self.connection);
    }
}

/// The real databases, under a grant.
pub(crate) struct Live {
    pub(crate) granted: Granted,
    pub(crate) open: Arc<Open>,
}

/// The connections of one invocation.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) numbers: Arc<AtomicU32>,
    connections: Mutex<HashMap<u32, Arc<dyn SqlConnection>>>,
}

#[async_trait]
impl Service for Live {
    async fn call(&self, operation: Operation, _: Body) -> Result<(Reply, Body), StoreError> {
        let Operation::Sql { database, connection, call } = operation else { return another_kind() };
        self.answer(&database, connection, call).await.map_err(|error| match error {
            // Damage is of one database, and whoever has to restore it asks which.
            StoreError::Damaged(what) => StoreError::Damaged(format!("sql.{database}: {what}")),
            other => other,
        })
    }
    fn close(&self, connection: u32) {
        let gone = self.open.connections.lock().remove(&connection);
        // Dropped without the lock: it may roll back.
        drop(gone);
    }
}

impl Live {
    async fn answer(&self, database: &str, connection: u32, call: SqlCall) -> Result<(Reply, Body), StoreError> {
        let cause = Some(self.granted.cause);
        if call == SqlCall::Connect {
            self.connect(database, connection).await?;
            return Ok((Reply::SqlConnected, Body::Empty));
        }
        let open = self.open.connections.lock().get(&connection).cloned();
        let open = open.ok_or_else(|| StoreError::Failed("the connection is closed".into()))?;
        let rows = match call {
            SqlCall::Run(statement) => vec![open.run(statement, cause).await?],
            SqlCall::Batch(statements) => open.batch(statements, cause).await?,
            SqlCall::Connect => return another_kind(),
        };
        Ok((Reply::SqlRows { rows, in_transaction: open.in_transaction() }, Body::Empty))
    }

    async fn connect(&self, database: &str, connection: u32) -> Result<(), StoreError> {
        let measured = self.open.connections.lock().len() as u64 + 1;
        let allowed = limits::SQL_CONNECTIONS as u64;
        if measured > allowed {
            return Err(StoreError::TooMany { what: "connections", measured, allowed });
        }
        let Granted { services, function, access, .. } = &self.granted;
        let name = DatabaseName::of(&function.key.app, &function.key.env, database);
        let opened = services.sql.connect(&name, access_of(*access)).await?;
        self.open.connections.lock().insert(connection, opened);
        Ok(())
    }
}
