//! What was recorded, as the API answers it, and the streams that go on.

use std::sync::Arc;

use http::{Request, StatusCode, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use ports::Telemetry as _;
use testkit::suite::telemetry::records::{Chance, record};
use tower::ServiceExt as _;
use types::{
    Code, Problem, Timestamp,
    record::InvocationRecord,
    wire::view::{Bill, Request as Shown, Trace},
};

use crate::world::{TOKEN, World};

fn made(count: usize, at: Timestamp) -> Vec<Arc<InvocationRecord>> {
    let mut chance = Chance::new(7);
    (0..count).map(|_| Arc::new(record(&mut chance, at))).collect()
}

/// A request whose answer goes on.
async fn open(world: &World, path: &str) -> http::Response<axum::body::Body> {
    let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
    let request = request.body(axum::body::Body::empty()).expect("a request");
    world.router.clone().oneshot(request).await.expect("handlers answer")
}

#[tokio::test]
async fn what_was_recorded_is_found_by_any_of_its_names() {
    let world = World::new().await;
    let records = made(20, world.now());
    records.iter().for_each(|record| world.telemetry.record(Arc::clone(record), None));
    world.advance();
    let all: Vec<Shown> = world.get("/v1/invocations?limit=50").await.expect("a list");
    assert_eq!(all.len(), 20);
    let one = &records[3];
    for name in [one.id.to_string(), one.id.to_string()[..20].to_owned()] {
        let shown: Shown = world.get(&format!("/v1/invocations/{name}")).await.expect(&name);
        assert_eq!(shown.invocation, one.id.to_string());
    }
    let trace: Trace = world.get(&format!("/v1/traces/t:{}", &one.trace.to_string()[..8])).await.expect("a trace");
    assert_eq!(trace.trace, one.trace.to_string());
    let bill: Bill = world.get("/v1/cost?by=total").await.expect("a bill");
    assert_eq!(bill.total.usage.requests, 20);
    let narrow: Vec<Shown> = world.get(&format!("/v1/invocations?function={}", one.function)).await.expect("a list");
    assert!(narrow.iter().all(|shown| shown.function == one.function.to_string()) && narrow.len() < 20);
    let problem = world.get::<Vec<Shown>>("/v1/invocations?limit=10001").await.expect_err("too many");
    assert_eq!(problem.code, Code::E0709);
}

#[tokio::test]
async fn who_follows_gets_a_line_for_each_request_until_the_node_drains() {
    let world = World::new().await;
    let mut body = open(&world, "/v1/follow").await.into_body();
    let records = made(3, world.now());
    for record in &records {
        world.telemetry.record(Arc::clone(record), None);
        let frame = body.frame().await.expect("a line").expect("no error").into_data().expect("data");
        assert_eq!(frame.last(), Some(&b'\n'));
        let shown: Shown = serde_json::from_slice(&frame).expect("a request");
        assert_eq!(shown.invocation, record.id.to_string());
    }
    world.control.drain();
    assert!(body.frame().await.is_none(), "the stream ends");
}

#[tokio::test]
async fn the_number_of_those_who_follow_is_bounded_and_their_places_are_given_back() {
    let world = World::new().await;
    let mut followers = Vec::new();
    let refused = loop {
        let response = open(&world, "/v1/logs?follow=true").await;
        if response.status() != StatusCode::OK {
            break response;
        }
        followers.push(response);
        assert!(followers.len() <= 1_000, "there is a bound");
    };
    let body = refused.into_body().collect().await.expect("a body").to_bytes();
    let problem: Problem = serde_json::from_slice(&body).expect("a problem");
    assert_eq!(problem.code, Code::E0512);
    drop(followers);
    assert_eq!(open(&world, "/v1/follow").await.status(), StatusCode::OK);
}
