//! Databases: statements by hand, and the whole file out and in.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::{HeaderValue, header::CONTENT_TYPE};
use ports::{BodyError, StoreError};
use types::{
    app::ResourceKind,
    sql::{DatabaseName, Rows, SqlAccess, Statement},
    wire::data::{Count, Page, ResourceRow, SqlQuery, SqlRows},
};

use super::{
    super::reply::{Answer, Asked, Input, Key, Refusal, answer},
    Named, buckets, rows,
};
use crate::core::Control;

/// The app's databases.
#[utoipa::path(get, operation_id = "sql_databases", path = "/v1/apps/{app}/{env}/databases", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), Page), responses((status = 200, body = Vec<ResourceRow>)))]
pub(crate) async fn databases(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<ResourceRow>> {
    answer(rows(&control.served(&key).await?, ResourceKind::Sql, &asked))
}

/// Runs a statement. It may write only if the caller says so.
#[utoipa::path(post, operation_id = "sql_query", path = "/v1/apps/{app}/{env}/databases/{database}/query", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("database" = String, Path)), request_body = SqlQuery,
    responses((status = 200, body = SqlRows)))]
pub(crate) async fn query(State(control): State<Arc<Control>>, named: Named, Input(query): Input<SqlQuery>) -> Answer<SqlRows> {
    control.knowing(ResourceKind::Sql, &named).await?;
    let SqlQuery { sql, parameters, write } = query;
    let access = if write { SqlAccess::ReadWrite } else { SqlAccess::Read };
    let connection = control.data.sql.connect(&database(&named), access).await.map_err(|error| of(&named, error))?;
    let statement = Statement { text: sql, parameters: parameters.into_iter().map(Into::into).collect() };
    let Rows { columns, rows, changed, last_insert: _ } =
        connection.run(statement, None).await.map_err(|error| of(&named, error))?;
    let cells = |row: Vec<types::sql::SqlValue>| row.into_iter().map(Into::into).collect();
    answer(SqlRows { columns, rows: rows.into_iter().map(cells).collect(), changed })
}

/// The whole database as an SQLite file, from one moment.
#[utoipa::path(get, operation_id = "sql_dump", path = "/v1/apps/{app}/{env}/databases/{database}/dump", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("database" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.sqlite3")))]
pub(crate) async fn dump(State(control): State<Arc<Control>>, named: Named) -> Result<Response, Refusal> {
    control.knowing(ResourceKind::Sql, &named).await?;
    let file = control.data.sql.dump(&database(&named)).await.map_err(|error| of(&named, error))?;
    let mut response =
        Response::new(Body::new(http_body_util::BodyExt::map_err(file, |error: BodyError| axum::Error::new(error))));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/vnd.sqlite3"));
    Ok(response)
}

/// Replaces the whole database by an SQLite file: all of it, or nothing if the file is not whole.
#[utoipa::path(put, operation_id = "sql_restore", path = "/v1/apps/{app}/{env}/databases/{database}/restore", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("database" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/vnd.sqlite3"), responses((status = 200, body = Count)))]
pub(crate) async fn restore(State(control): State<Arc<Control>>, named: Named, request: Request) -> Answer<Count> {
    control.knowing(ResourceKind::Sql, &named).await?;
    control.data.sql.restore(&database(&named), buckets::streamed(request)).await?;
    tracing::info!(app = %named.key, database = named.name, "database restored");
    answer(Count { count: 1 })
}

/// Damage is of one database: what is known of it begins with which.
fn of(Named { key, name }: &Named, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged(what) => StoreError::Damaged(format!("sql.{name} of {key}: {what}")),
        other => other,
    }
}

fn database(Named { key, name }: &Named) -> DatabaseName {
    DatabaseName::of(&key.app, &key.env, name)
}
