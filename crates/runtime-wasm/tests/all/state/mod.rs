//! The services that keep state, over fakes: what guests may do and learn, what is refused, and all of it again from the record.

mod databases;
mod messages;
mod objects;
mod replay;
mod secrets;
mod services;

use std::sync::Arc;

use ports::Body;

pub(crate) use self::{
    objects::FakeObjects,
    services::{FakeBus, Services, secrets},
};
use crate::{
    serving::scene::{Answered, Scene, get, send},
    world::loaded,
};

/// What the program `state` answers.
async fn ask(scene: &Arc<Scene>, target: &str) -> Answered {
    send(&loaded("state").await, get(target), scene).await
}

/// Asks each, and looks for the status and a part of the answer.
async fn check(scene: &Arc<Scene>, rows: &[(&str, u16, &str)]) {
    for (target, status, expected) in rows {
        let answered = ask(scene, target).await;
        assert!(answered.status == *status && answered.text().contains(expected), "{target}: {answered:#?}");
    }
}

/// A delivery of these events, as a batch.
fn batch(events: &str) -> http::Request<Body> {
    let request = http::Request::post("http://state.internal/");
    let request = request.header("content-type", "application/cloudevents-batch+json; charset=utf-8");
    request.body(Body::from(events.to_owned())).expect("a request")
}
