//! Events and webhooks from outside, over real connections.

use std::{sync::Arc, time::Duration};

use ingress::{Framing, GatewayLimits};
use ports::{Queue, Secrets, secrets::SecretValue};
use types::{
    Build, Digest, Function, LiveApp, LiveFunction, LiveRevision, RevisionNumber,
    event::StoreChange,
    queue::QueueName,
    revision::AppKey,
    settings::EventsSettings,
    trigger::{On, Rules, Source, Webhook, WebhookEncoding, WebhookHash},
};

use crate::rig::{Functions, Rig};

const QUIET: Duration = Duration::from_millis(300);

fn key() -> AppKey {
    AppKey { app: "main".parse().expect("a name"), env: "dev".parse().expect("a name") }
}

fn live(function: Function) -> Arc<LiveFunction> {
    let (artifact, resources) = (Digest::from_bytes([0; 32]), Arc::default());
    Arc::new(LiveFunction { key: key(), revision: RevisionNumber(1), function, artifact, gate: 0, resources })
}

/// An app with `[events]`, a function that waits for orders, and one behind a webhook.
async fn rig() -> Rig {
    let source = Source::Event { bus: "default".into(), pattern: "order.*".into(), filter: None };
    let rules = Rules { batch: 1, wait: Duration::ZERO, retries: 2, dead: "dead".into() };
    let worker = Function {
        on: Some(On { source, rules }),
        ..Function::empty("worker".parse().expect("a name"), ".".into(), Build::Component)
    };
    let webhook = Webhook {
        header: "x-hub-signature-256".into(),
        secret: "hook".into(),
        algorithm: WebhookHash::Sha256,
        encoding: WebhookEncoding::Hex,
        prefix: "sha256=".into(),
        timestamp: None,
        tolerance: Duration::from_secs(300),
    };
    let hooked = Function {
        routes: vec!["POST /hook".parse().expect("a route")],
        webhook: Some(webhook),
        ..Function::empty("hooked".parse().expect("a name"), ".".into(), Build::Component)
    };
    let root = Function {
        routes: vec!["/{*rest}".parse().expect("a route")],
        ..Function::empty("root".parse().expect("a name"), ".".into(), Build::Component)
    };
    let functions = [worker, hooked, root].into_iter().map(|function| (function.name.clone(), live(function))).collect();
    let events = Some(EventsSettings { key: "ingest".into(), bus: "default".into() });
    let revision = Arc::new(LiveRevision { number: RevisionNumber(1), functions, site: None, events });
    let app = Arc::new(LiveApp { key: key(), hosts: vec![], default: true, shares: vec![(revision, 1)] });
    let blob = Arc::new(testkit::model::ModelBlob::default());
    let rig = Rig::serving(vec![app], blob, GatewayLimits::default(), Framing::Strict, Functions::echo()).await;
    rig.secrets.set(&key(), "ingest", SecretValue(b"s3cret".to_vec())).await.expect("it is set");
    rig.secrets.set(&key(), "hook", SecretValue(b"It's a Secret to Everybody".to_vec())).await.expect("it is set");
    rig
}

impl Rig {
    async fn post(&self, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let request = format!("POST {path} HTTP/1.1\r\nhost: main.localhost\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        self.talk(request.as_bytes(), QUIET).await.text
    }
    /// The ids of events that wait for the worker.
    async fn waiting(&self) -> Vec<String> {
        let queue = QueueName::of_trigger(&key(), &"worker".parse().expect("a name"));
        let found = self.queue.peek(&queue, None, 100).await.expect("a list");
        let id = |body: &[u8]| match postcard::from_bytes(body) {
            Ok(StoreChange::Published(event)) => event.id,
            other => panic!("not an event: {other:?}"),
        };
        found.iter().map(|message| id(&message.message.body)).collect()
    }
}

const BINARY: &str =
    "ce-specversion: 1.0\r\nce-id: b1\r\nce-source: /t\r\nce-type: order.created\r\ncontent-type: application/json\r\n";

#[tokio::test]
async fn events_come_in_by_all_three_modes_and_wait_for_whom_they_concern() {
    let rig = rig().await;
    let bearer = "authorization: Bearer s3cret\r\n";
    let said = rig.post("/events", &format!("{bearer}{BINARY}"), "{\"total\":1}").await;
    assert!(said.starts_with("HTTP/1.1 202 ") && said.ends_with(r#"{"ids":["b1"]}"#), "{said}");
    let event =
        |id: &str, kind: &str| format!(r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"{kind}","data":{{"n":1}}}}"#);
    let structured = "x-api-key: s3cret\r\ncontent-type: application/cloudevents+json\r\n";
    let said = rig.post("/events", structured, &event("s1", "order.paid")).await;
    assert!(said.starts_with("HTTP/1.1 202 "), "{said}");
    let batch = "x-api-key: s3cret\r\ncontent-type: application/cloudevents-batch+json\r\n";
    let list = format!("[{},{}]", event("l1", "order.paid"), event("l2", "nobody.cares"));
    let said = rig.post("/events", batch, &list).await;
    assert!(said.ends_with(r#"{"ids":["l1","l2"]}"#), "{said}");
    assert_eq!(rig.waiting().await, ["b1", "s1", "l1"]);
}

#[tokio::test]
async fn without_the_key_or_a_whole_event_nothing_comes_in() {
    let rig = rig().await;
    let good = format!("x-api-key: s3cret\r\n{BINARY}");
    let large = "x".repeat(1 << 20);
    let cases = [
        (BINARY.to_owned(), "1", "401", "E0211"),
        (good.replace("s3cret", "s3cret2"), "1", "401", "E0211"),
        (format!("authorization: Basic s3cret\r\n{BINARY}"), "1", "401", "E0211"),
        (good.replace("ce-id: b1\r\n", ""), "1", "400", "E0411"),
        (good.replace("1.0", "0.3"), "1", "400", "E0411"),
        ("x-api-key: s3cret\r\ncontent-type: application/cloudevents+json\r\n".into(), "[]", "400", "E0411"),
        (good.clone(), large.as_str(), "413", "E0614"),
    ];
    for (headers, body, status, code) in cases {
        let said = rig.post("/events", &headers, body).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains(&format!("x-dayfly-error: {code}")),
            "{code}: {said}"
        );
    }
    assert!(rig.waiting().await.is_empty());
    let batch = "x-api-key: s3cret\r\ncontent-type: application/cloudevents-batch+json\r\n";
    let half = r#"[{"specversion":"1.0","id":"1","source":"/t","type":"order.x"},{"id":"2"}]"#;
    assert!(rig.post("/events", batch, half).await.contains("E0411"));
    assert!(rig.waiting().await.is_empty(), "all of a batch or none");
    rig.secrets.remove(&key(), "ingest").await.expect("it goes");
}

#[tokio::test]
async fn only_posts_to_that_path_are_the_platforms() {
    let rig = rig().await;
    let said = rig.talk(b"GET /events HTTP/1.1\r\nhost: main.localhost\r\n\r\n", QUIET).await;
    assert!(said.text.contains("main/root"), "{}", said.text);
    assert!(rig.post("/events/more", "", "x").await.contains("main/root"));
    let plain = Rig::echo().await;
    assert!(plain.post("/events", "", "").await.contains("E0402"), "an app without [events] has no such path");
}

#[tokio::test]
async fn a_webhook_runs_only_what_is_signed() {
    let rig = rig().await;
    let signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let signed = format!("x-hub-signature-256: sha256={signature}\r\n");
    let said = rig.post("/hook", &signed, "Hello, World!").await;
    assert!(said.contains("main/hooked 13"), "the function gets the body: {said}");
    for (headers, body) in
        [(signed.as_str(), "Hello, World?"), ("", "Hello, World!"), ("x-hub-signature-256: sha256=00\r\n", "Hello, World!")]
    {
        let said = rig.post("/hook", headers, body).await;
        assert!(said.starts_with("HTTP/1.1 401 ") && said.contains("E0212") && !said.contains("main/hooked"), "{said}");
    }
    rig.secrets.remove(&key(), "hook").await.expect("it goes");
}
