//! The control API: the table of routes, and what every request passes on its way to one: the token, and a span.

mod apps;
mod auth;
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
    routing::{get, post},
};
use http::StatusCode;
use types::{Code, Problem};

use self::reply::Refusal;
use crate::core::Control;

pub use self::openapi::document;

/// Makes the router and the list of handlers for the OpenAPI document from one table, so that neither has what the other lacks.
macro_rules! endpoints {
    ($($method:ident $path:literal $module:ident::$handler:ident;)*) => {
        fn table() -> Router<Arc<Control>> {
            Router::new()$(.route($path, $method($module::$handler)))*
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "dayfly control API",
                version = "1",
                description = "Deploy, invoke and observe functions. Every request bears the node's token.",
                license(name = "Apache-2.0", identifier = "Apache-2.0")
            ),
            paths($($module::$handler),*),
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
    get "/v1/invocations" records::invocations;
    get "/v1/invocations/{id}" records::invocation;
    get "/v1/invocations/{id}/journal" export::journal;
    get "/v1/invocations/{id}/export" export::export;
    get "/v1/traces/{id}" records::trace;
    get "/v1/logs" records::logs;
    get "/v1/follow" follow::follow;
    get "/v1/cost" records::cost;
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
