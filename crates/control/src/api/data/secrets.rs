//! Secrets: set, listed, removed. No route gives a value.

use std::sync::Arc;

use axum::extract::{Request, State};
use ports::secrets::{SecretInfo, SecretValue};
use types::{
    Code, Problem,
    app::{Resource, ResourceKind},
    limits,
    wire::data::{Count, SecretRow, SecretSet},
};

use super::{
    super::reply::{Answer, Key, answer, collect},
    Named, names, used_by,
};
use crate::core::{Control, no_app};

/// The app's secrets: those that its functions use and those that are set.
#[utoipa::path(get, operation_id = "secrets", path = "/v1/apps/{app}/{env}/secrets", tag = "data",
    params(("app" = String, Path), ("env" = String, Path)), responses((status = 200, body = Vec<SecretRow>)))]
pub(crate) async fn secrets(State(control): State<Arc<Control>>, Key(key): Key) -> Answer<Vec<SecretRow>> {
    let set = control.data.secrets.list(&key).await?;
    // Secrets may be set before the app is deployed.
    let app = match control.served(&key).await {
        Ok(app) => Some(app),
        Err(problem) if problem.code == no_app(&key).code => None,
        Err(problem) => return Err(problem.into()),
    };
    let mut all = app.as_ref().map(|app| names(app, ResourceKind::Secret)).unwrap_or_default();
    all.extend(set.iter().map(|info| info.name.clone()));
    let row = |name: String| {
        let info = set.iter().find(|info| info.name == name);
        let resource = Resource { kind: ResourceKind::Secret, name };
        SecretRow {
            version: info.map(|SecretInfo { version, .. }| *version),
            set: info.map(|info| info.set.to_rfc3339()),
            used_by: app.as_ref().map(|app| used_by(app, &resource)).unwrap_or_default(),
            name: resource.name,
        }
    };
    answer(all.into_iter().map(row).collect())
}

/// Sets a secret: the body is its value. Functions see it from their next invocation on.
#[utoipa::path(put, operation_id = "secrets_set", path = "/v1/apps/{app}/{env}/secrets/{name}", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("name" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = SecretSet)))]
pub(crate) async fn set(State(control): State<Arc<Control>>, named: Named, request: Request) -> Answer<SecretSet> {
    let Named { key, name } = named;
    let resource: Resource = format!("secret.{name}").parse().map_err(|error| Problem::new(Code::E0111, format!("{error}")))?;
    let value = collect(request, limits::SECRET, Code::E0604).await?;
    if value.is_empty() {
        return Err(Problem::new(Code::E0709, format!("the value of {resource} is empty")).into());
    }
    let version = control.data.secrets.set(&key, &name, SecretValue(value.to_vec())).await?;
    tracing::info!(app = %key, %resource, version, "secret set");
    answer(SecretSet { version })
}

/// Removes a secret, all versions of it.
#[utoipa::path(delete, operation_id = "secrets_remove", path = "/v1/apps/{app}/{env}/secrets/{name}", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("name" = String, Path)), responses((status = 200, body = Count)))]
pub(crate) async fn remove(State(control): State<Arc<Control>>, Named { key, name }: Named) -> Answer<Count> {
    let there = control.data.secrets.list(&key).await?.iter().any(|info| info.name == name);
    if !there {
        return Err(Problem::new(Code::E0712, format!("secret.{name} of {key} is not set")).help("dayfly secret ls").into());
    }
    control.data.secrets.remove(&key, &name).await?;
    tracing::info!(app = %key, name, "secret removed");
    answer(Count { count: 1 })
}

/// Seals every secret of the node under a new key. Values stay as they are.
#[utoipa::path(post, operation_id = "secrets_rotate", path = "/v1/secrets/rotate", tag = "data", responses((status = 200, body = Count)))]
pub(crate) async fn rotate(State(control): State<Arc<Control>>) -> Answer<Count> {
    let count = control.data.secrets.rewrap().await?;
    tracing::info!(count, "secrets sealed under a new key");
    answer(Count { count })
}
