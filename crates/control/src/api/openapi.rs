//! The OpenAPI document, made from the handlers and the wire types. A golden file keeps it: `docs/reference/openapi.json`.

use axum::Json;
use utoipa::{
    OpenApi as _,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

/// The OpenAPI document of the control API.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = super::Document::openapi();
    finish(&mut document);
    document
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "node", responses((status = 200, body = Object)))]
pub(crate) async fn document_of_the_api() -> Json<OpenApi> {
    Json(document())
}

/// Adds what holds for every route: the token, and a problem as the answer to whatever goes wrong.
fn finish(document: &mut OpenApi) {
    if let Some(components) = &mut document.components {
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten() {
            for answer in operation.responses.responses.values_mut() {
                if let RefOr::T(answer) = answer {
                    answer.description = "Done".into();
                }
            }
            operation.responses.responses.insert("default".into(), problem().into());
        }
    }
}

fn problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description("A problem; its code says which").content("application/json", content).build()
}
