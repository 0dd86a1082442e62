//! The control API: the table of routes, and what every request passes on its way to one: the token, and a span.

mod apps;
mod auth;
mod data;
mod eval;
mod export;
mod follow;
mod invoke;
mod node;
mod openapi;
mod records;
mod reply;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{delete, get, post, put},
};
use http::StatusCode;
use types::{Code, Problem};

use self::reply::Refusal;
use crate::core::Control;

pub use self::openapi::document;

/// Makes the router and the list of handlers for the OpenAPI document from one table, so that neither has what the other lacks.
macro_rules! endpoints {
    ($($method:ident $path:literal $($handler:ident)::+;)*) => {
        fn table() -> Router<Arc<Control>> {
            Router::new()$(.route($path, $method($($handler)::+)))*
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "dayfly control API",
                version = "1",
                description = "Deploy, invoke and observe functions. Every request bears the node's token.",
                license(name = "Apache-2.0", identifier = "Apache-2.0")
            ),
            paths($($($handler)::+),*),
            components(schemas(types::Problem)),
            security(("token" = []))
        )]
        struct Document;
    };
}

endpoints! {
    get "/v1/node" node::node;
    get "/v1/health" node::health;
    get "/v1/limits" node::limits;
    get "/v1/openapi.json" openapi::document_of_the_api;
    get "/v1/apps" apps::apps;
    get "/v1/apps/{app}/{env}" apps::app;
    get "/v1/apps/{app}/{env}/revisions" apps::revisions;
    post "/v1/artifacts" apps::upload;
    post "/v1/apps/{app}/{env}/plan" apps::plan;
    post "/v1/apps/{app}/{env}/deploy" apps::deploy;
    post "/v1/apps/{app}/{env}/rollback" apps::rollback;
    post "/v1/apps/{app}/{env}/invoke" invoke::invoke;
    post "/v1/apps/{app}/{env}/eval" eval::eval;
    get "/v1/invocations" records::invocations;
    get "/v1/invocations/{id}" records::invocation;
    get "/v1/invocations/{id}/journal" export::journal;
    get "/v1/invocations/{id}/export" export::export;
    get "/v1/traces/{id}" records::trace;
    get "/v1/logs" records::logs;
    get "/v1/follow" follow::follow;
    get "/v1/cost" records::cost;
    get "/v1/apps/{app}/{env}/kv" data::kv::stores;
    get "/v1/apps/{app}/{env}/kv/{store}" data::kv::entries;
    get "/v1/apps/{app}/{env}/kv/{store}/entry" data::kv::get;
    put "/v1/apps/{app}/{env}/kv/{store}/entry" data::kv::put;
    delete "/v1/apps/{app}/{env}/kv/{store}/entry" data::kv::remove;
    get "/v1/apps/{app}/{env}/queues" data::queues::queues;
    get "/v1/apps/{app}/{env}/queues/{queue}/messages" data::queues::peek;
    post "/v1/apps/{app}/{env}/queues/{queue}/messages" data::queues::send;
    post "/v1/apps/{app}/{env}/queues/{queue}/purge" data::queues::purge;
    post "/v1/apps/{app}/{env}/queues/{queue}/redrive" data::queues::redrive;
    get "/v1/apps/{app}/{env}/streams" data::streams::streams;
    get "/v1/apps/{app}/{env}/streams/{stream}/records" data::streams::records;
    post "/v1/apps/{app}/{env}/streams/{stream}/records" data::streams::append;
    get "/v1/apps/{app}/{env}/buckets" data::buckets::buckets;
    get "/v1/apps/{app}/{env}/buckets/{bucket}/objects" data::buckets::objects;
    get "/v1/apps/{app}/{env}/buckets/{bucket}/object" data::buckets::get;
    put "/v1/apps/{app}/{env}/buckets/{bucket}/object" data::buckets::put;
    delete "/v1/apps/{app}/{env}/buckets/{bucket}/object" data::buckets::remove;
    post "/v1/apps/{app}/{env}/buckets/{bucket}/presign" data::buckets::presign;
    get "/v1/apps/{app}/{env}/databases" data::sql::databases;
    post "/v1/apps/{app}/{env}/databases/{database}/query" data::sql::query;
    get "/v1/apps/{app}/{env}/databases/{database}/dump" data::sql::dump;
    put "/v1/apps/{app}/{env}/databases/{database}/restore" data::sql::restore;
    get "/v1/apps/{app}/{env}/secrets" data::secrets::secrets;
    put "/v1/apps/{app}/{env}/secrets/{name}" data::secrets::set;
    delete "/v1/apps/{app}/{env}/secrets/{name}" data::secrets::remove;
    post "/v1/secrets/rotate" data::secrets::rotate;
    get "/v1/apps/{app}/{env}/aws-keys" data::keys::keys;
    post "/v1/apps/{app}/{env}/aws-keys" data::keys::issue;
    delete "/v1/apps/{app}/{env}/aws-keys/{id}" data::keys::revoke;
    get "/v1/apps/{app}/{env}/schedules" data::schedules::schedules;
    post "/v1/apps/{app}/{env}/schedules/{function}/run" data::schedules::run;
    get "/v1/apps/{app}/{env}/events" data::events::published;
    post "/v1/apps/{app}/{env}/events" data::events::send;
}

/// Every route of the control API.
pub fn router(control: Arc<Control>) -> Router {
    table()
        .fallback(async || unknown("no such route", StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || unknown("the route does not answer to this method", StatusCode::METHOD_NOT_ALLOWED))
        .layer(middleware::from_fn_with_state(Arc::clone(&control), auth::check))
        .with_state(control)
}

fn unknown(message: &str, status: StatusCode) -> Refusal {
    let problem = Problem::new(Code::E0709, message).help("GET /v1/openapi.json lists all routes");
    Refusal::with_status(problem, status)
}
