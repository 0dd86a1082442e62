//! Apps and revisions: what is deployed, and every change of it.

use std::sync::Arc;

use axum::extract::{Request, State};
use ports::catalog;
use types::{
    App, Code, FunctionName, Problem, Revision, limits,
    wire::api::{AppStatus, Deploy, Deployed, FunctionStatus, Plan, RevisionStatus, Rollback, RolledBack, Uploaded},
};

use super::reply::{Answer, Input, Key, Refusal, answer, collect};
use crate::{
    core::{Control, no_app},
    deploy::share,
    snapshot::largest,
};

/// Every app with what it serves, by name.
#[utoipa::path(get, path = "/v1/apps", tag = "apps", responses((status = 200, body = Vec<AppStatus>)))]
pub(crate) async fn apps(State(control): State<Arc<Control>>) -> Answer<Vec<AppStatus>> {
    let mut apps = Vec::new();
    for deployed in control.catalog.apps().await? {
        apps.push(status(&control, deployed).await?);
    }
    answer(apps)
}

/// One app with what it serves.
#[utoipa::path(get, path = "/v1/apps/{app}/{env}", tag = "apps",
    params(("app" = String, Path), ("env" = String, Path)), responses((status = 200, body = AppStatus)))]
pub(crate) async fn app(State(control): State<Arc<Control>>, Key(key): Key) -> Answer<AppStatus> {
    let deployed = control.catalog.app(&key).await?.ok_or_else(|| no_app(&key))?;
    answer(status(&control, deployed).await?)
}

/// An app's revisions, newest first.
#[utoipa::path(get, path = "/v1/apps/{app}/{env}/revisions", tag = "apps",
    params(("app" = String, Path), ("env" = String, Path)), responses((status = 200, body = Vec<RevisionStatus>)))]
pub(crate) async fn revisions(State(control): State<Arc<Control>>, Key(key): Key) -> Answer<Vec<RevisionStatus>> {
    let deployed = control.catalog.app(&key).await?.ok_or_else(|| no_app(&key))?;
    let weight = |number| deployed.shares.iter().filter(|share| share.revision == number).map(|share| share.weight).sum();
    let row = |Revision { number, artifacts, created, .. }| RevisionStatus {
        number,
        created: created.to_rfc3339(),
        weight: weight(number),
        artifacts,
    };
    answer(control.catalog.revisions(&key).await?.into_iter().map(row).collect())
}

/// Stores a component, to be named by its digest in a deployment.
#[utoipa::path(post, path = "/v1/artifacts", tag = "apps",
    request_body(content = Vec<u8>, content_type = "application/wasm"), responses((status = 200, body = Uploaded)))]
pub(crate) async fn upload(State(control): State<Arc<Control>>, request: Request) -> Answer<Uploaded> {
    let busy = || Problem::new(Code::E0512, "too many uploads at once").help("try again");
    let _room = control.components.try_acquire().map_err(|_| busy())?;
    let bytes = collect(request, limits::COMPONENT, Code::E0306).await?;
    if bytes.is_empty() {
        return Err(Problem::new(Code::E0305, "the artifact is empty").into());
    }
    answer(control.upload(bytes).await?)
}

/// What a deployment would change; nothing is touched.
#[utoipa::path(post, path = "/v1/apps/{app}/{env}/plan", tag = "apps",
    params(("app" = String, Path), ("env" = String, Path)), request_body = Deploy, responses((status = 200, body = Plan)))]
pub(crate) async fn plan(State(control): State<Arc<Control>>, Key(key): Key, Input(deploy): Input<Deploy>) -> Answer<Plan> {
    answer(control.plan(&key, &deploy).await?)
}

/// Stores a revision and serves it.
#[utoipa::path(post, path = "/v1/apps/{app}/{env}/deploy", tag = "apps",
    params(("app" = String, Path), ("env" = String, Path)), request_body = Deploy, responses((status = 200, body = Deployed)))]
pub(crate) async fn deploy(State(control): State<Arc<Control>>, Key(key): Key, Input(deploy): Input<Deploy>) -> Answer<Deployed> {
    answer(finish(async move { control.deploy(&key, deploy).await }).await?)
}

/// Serves another revision.
#[utoipa::path(post, path = "/v1/apps/{app}/{env}/rollback", tag = "apps",
    params(("app" = String, Path), ("env" = String, Path)), request_body = Rollback, responses((status = 200, body = RolledBack)))]
pub(crate) async fn rollback(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Input(rollback): Input<Rollback>,
) -> Answer<RolledBack> {
    answer(finish(async move { control.rollback(&key, rollback).await }).await?)
}

/// Runs a change in a task of its own: a client that goes away must not leave the catalog saying one thing and the planes another.
async fn finish<T: Send + 'static>(change: impl Future<Output = Result<T, Problem>> + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::spawn(change).await;
    Ok(done.map_err(|error| Problem::new(Code::E0513, format!("the change broke off: {error}")))??)
}

async fn status(control: &Control, deployed: catalog::Deployed) -> Result<AppStatus, Problem> {
    let served = match largest(&deployed.shares) {
        None => None,
        Some(share) => control.catalog.revision(&deployed.key, share.revision).await?,
    };
    let catalog::Deployed { key, latest, shares } = deployed;
    Ok(AppStatus {
        urls: control.publisher.urls(&key),
        app: key.app,
        env: key.env,
        latest,
        shares: shares.into_iter().map(share).collect(),
        functions: served.map(functions).unwrap_or_default(),
    })
}

fn functions(revision: Revision) -> Vec<FunctionStatus> {
    let Revision { app: App { functions, .. }, artifacts, .. } = revision;
    let row = |(name, function): (FunctionName, types::Function)| {
        let artifact = *artifacts.get(&name)?;
        let types::Limits { memory, time, concurrency } = function.limits;
        Some(FunctionStatus {
            name,
            artifact,
            routes: function.routes,
            uses: function.uses,
            reach: function.reach,
            memory_bytes_max: memory.0,
            time_ms_max: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            concurrency_max: concurrency,
            record: function.record.to_string(),
        })
    };
    functions.into_iter().filter_map(row).collect()
}
