//! Function to function: without a network, within every bound.

use std::{sync::Arc, time::Duration};

use http::Request;
use http_body_util::BodyExt as _;
use ports::{Body, Scope, outbound::OutboundRequest};
use types::{Code, Function, Outcome, journal::Failure};

use super::support::{Guest, World, answer, guest, text};

async fn call(scope: &Arc<dyn Scope>, uri: &str, body: Body) -> Result<(u16, String), Failure> {
    let time = Duration::from_secs(30);
    let request = Request::post(uri).body(body).expect("a request");
    let request =
        OutboundRequest { request, private_named: false, connect_time: time, first_byte_time: time, between_bytes_time: time };
    let response = scope.outbound().send(request).await?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("the body is whole").to_bytes();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// `api` calls the address that its own request names; `mail` answers with what it got.
fn pair(uri: &'static str) -> Guest {
    guest(move |request, scope, _| async move {
        if request.uri().host() == Some("mail.internal") {
            let host = request.uri().to_string();
            let traced = request.headers().contains_key("traceparent");
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            return answer(&scope, 201, format!("{host} {traced} {}", String::from_utf8_lossy(&body)));
        }
        match call(&scope, uri, Body::from("hello")).await {
            Ok((status, text)) => answer(&scope, 200, format!("{status} {text}")),
            Err(failure) => answer(&scope, 200, format!("{} {}", failure.code, failure.message)),
        }
    })
}

fn reaching(reach: &'static str) -> impl FnOnce(&mut Function) {
    move |function| function.reach = vec![reach.parse().expect("a reach")]
}

#[tokio::test]
async fn a_function_calls_another_of_its_app_and_both_are_one_trace() {
    let world = World::new(pair("http://mail.internal/send?x=1"), reaching("http://mail.internal"));
    let (_, said) = text(world.invoke("/").await).await;
    assert_eq!(said, "201 http://mail.internal/send?x=1 true hello");
    let records = world.settled(2).await;
    let of = |name: &str| records.iter().find(|record| record.function.as_str() == name).expect("it ran");
    let (api, mail) = (of("api"), of("mail"));
    assert_eq!((mail.trace, mail.parent, mail.delivery.depth), (api.trace, Some(api.span), 1));
    assert_eq!((mail.cause.as_str(), api.spans[0].name.as_str()), ("POST /send", "POST mail.internal/send"));
    assert_eq!((api.usage.outbound_calls, mail.usage.requests), (1, 1), "both are metered");
    assert!(api.usage.outbound_bytes.0 > 5 && mail.usage.bytes_in.0 > 0);
}

#[tokio::test]
async fn only_functions_that_are_named_are_called() {
    let said = |uri: &'static str, reach: &'static str| async move {
        let world = World::new(pair(uri), reaching(reach));
        text(world.invoke("/").await).await.1
    };
    let refused = said("http://mail.internal/", "http://example.com").await;
    assert!(refused.starts_with("E0207") && refused.contains("dayfly allow api http://mail.internal"), "{refused}");
    assert!(said("http://nobody.internal/", "http://nobody.internal").await.starts_with("E0213"));
    // More labels than one are a host like any other: the way out decides.
    assert!(said("http://metadata.google.internal/", "http://metadata.google.internal").await.starts_with("200 you asked"));
}

#[tokio::test]
async fn no_function_starts_another_in_the_name_of_a_trigger() {
    let run = guest(|request, scope, _| async move {
        if request.uri().host() == Some("mail.internal") {
            let names: Vec<&str> =
                request.headers().keys().map(http::HeaderName::as_str).filter(|n| n.contains("dayfly")).collect();
            let names = names.join(" ");
            return answer(&scope, 200, names);
        }
        let request = Request::post("http://mail.internal/");
        let request = request.header("dayfly-trigger", "queue").header("Dayfly-Else", "1").header("x-dayfly-trigger", "queue");
        let time = Duration::from_secs(30);
        let (connect_time, first_byte_time, between_bytes_time) = (time, time, time);
        let request = request.body(Body::Empty).expect("a request");
        let call = OutboundRequest { request, private_named: false, connect_time, first_byte_time, between_bytes_time };
        let response = scope.outbound().send(call).await.expect("mail answers");
        let seen = response.into_body().collect().await.expect("the body is whole").to_bytes();
        answer(&scope, 200, String::from_utf8_lossy(&seen).into_owned())
    });
    let world = World::new(run, reaching("http://mail.internal"));
    let (_, seen) = text(world.invoke("/").await).await;
    let records = world.settled(2).await;
    assert!(records.iter().all(|record| record.cause != "eval"), "{records:?}");
    assert_eq!(seen, "x-dayfly-trigger", "the control: a field that nobody relies on gets through");
}

#[tokio::test]
async fn functions_that_call_one_another_without_end_are_stopped() {
    let run = guest(move |_, scope, _| async move {
        match call(&scope, "http://mail.internal/", Body::Empty).await {
            Ok((200, text)) => answer(&scope, 200, text),
            Ok((status, text)) => answer(&scope, 200, format!("{status} {}", text.lines().next().unwrap_or_default())),
            Err(failure) => answer(&scope, 200, failure.code.to_string()),
        }
    });
    let kv = Arc::new(testkit::model::ModelKv::new(Arc::new(system::SystemClock::new())));
    let world = World::with_neighbour(run, kv, reaching("http://mail.internal"), reaching("http://mail.internal"));
    let (_, said) = text(world.invoke("/").await).await;
    assert_eq!(said, "508 error[E0516]: functions cause one another without end");
    let records = world.settled(34).await;
    let refused = records.iter().find(|record| matches!(record.outcome, Outcome::Failed { .. })).expect("one was refused");
    assert!(matches!(refused.outcome, Outcome::Failed { code: Code::E0516, .. }));
    assert_eq!(refused.usage.requests, 0, "it is free");
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_whom_it_called() {
    let run = guest(move |request, scope, _| async move {
        if request.uri().host() == Some("mail.internal") {
            return std::future::pending().await;
        }
        drop(call(&scope, "http://mail.internal/", Body::Empty).await);
        answer(&scope, 200, "")
    });
    let world = World::new(run, reaching("http://mail.internal"));
    let mut running = world.invoke("/");
    for _ in 0..10 {
        assert!(futures_util::poll!(&mut running).is_pending());
        tokio::task::yield_now().await;
    }
    drop(running);
    let records = world.settled(2).await;
    assert!(records.iter().all(|record| matches!(record.outcome, Outcome::Failed { code: Code::E0511, .. })));
}

#[tokio::test]
async fn repeated_deliveries_make_the_same_calls_with_the_same_keys() {
    let keys = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let found = keys.clone();
    let run = guest(move |request, scope, _| {
        let found = found.clone();
        async move {
            if request.uri().host() == Some("mail.internal") {
                let key = request.headers().get("idempotency-key").map(|key| key.to_str().expect("text").to_owned());
                found.lock().push(key);
                return answer(&scope, 200, "");
            }
            for _ in 0..2 {
                call(&scope, "http://mail.internal/", Body::Empty).await.expect("reached");
            }
            answer(&scope, 200, "")
        }
    });
    let world = World::new(run, reaching("http://mail.internal"));
    drop(world.deliver(&[("a", 1)], 1).await);
    drop(world.deliver(&[("a", 1)], 2).await);
    drop(world.deliver(&[("b", 2)], 1).await);
    drop(world.invoke("/").await);
    let keys = keys.lock().clone();
    let [first, second, again, again2, other, _, none, none2] = keys.as_slice() else { panic!("{keys:?}") };
    assert!(first.is_some() && first != second && first != other);
    assert_eq!((first, second), (again, again2));
    assert_eq!((none, none2), (&None, &None), "nobody repeats a request");
}
