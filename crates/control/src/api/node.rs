//! The node itself: what it is, whether it is well, and its limits.

use std::sync::Arc;

use axum::{Json, extract::State};
use types::{
    limits::{self, Row},
    wire::api::{Health, LimitRow, Node, TelemetryHealth},
};

use super::reply::{Answer, answer};
use crate::core::Control;

/// What this node is.
#[utoipa::path(get, path = "/v1/node", tag = "node", responses((status = 200, body = Node)))]
pub(crate) async fn node(State(control): State<Arc<Control>>) -> Answer<Node> {
    let ports::telemetry::Health { written, dropped, damaged } = control.telemetry.health();
    answer(Node {
        version: control.version.to_owned(),
        engine: control.runtime.engine().to_owned(),
        gateway_url: format!("http://{}", control.gateway),
        started: control.started.to_rfc3339(),
        snapshot: control.snapshot_number(),
        telemetry: TelemetryHealth { written, dropped, damaged },
    })
}

/// Whether the node can do its work: it reads from its catalog to find out.
#[utoipa::path(get, path = "/v1/health", tag = "node", responses((status = 200, body = Health)))]
pub(crate) async fn health(State(control): State<Arc<Control>>) -> Answer<Health> {
    control.catalog.apps().await?;
    answer(Health { ok: true })
}

/// Every limit of the platform.
#[utoipa::path(get, path = "/v1/limits", tag = "node", responses((status = 200, body = Vec<LimitRow>)))]
pub(crate) async fn limits() -> Json<Vec<LimitRow>> {
    let row = |Row { name, value, max, key }| LimitRow { name: name.to_owned(), value, max, key: key.map(str::to_owned) };
    Json(limits::table().into_iter().map(row).collect())
}
