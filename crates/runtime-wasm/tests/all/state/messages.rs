//! Queues, streams and buses, and what the program does with events.

use std::sync::Arc;

use types::{Code, limits};

use super::{ask, batch, check};
use crate::{
    serving::scene::{Scene, get, send},
    world::loaded,
};

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_sent_with_all_that_belongs_to_them() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/queue/send?queue=orders&body=one&dedup=k&type=text/plain", 200, r#"[{"id":"msg_1","duplicate":false}]"#),
        ("/queue/send?queue=orders&body=one&dedup=k", 200, r#"[{"id":"msg_1","duplicate":true}]"#),
        ("/queue/send?queue=orders&body=two&dedup=k", 409, "used for something else"),
        ("/queue/send?queue=orders&body=two&delay=60000", 200, "msg_2"),
        ("/queue/send?queue=orders&body=three&group=g", 200, "msg_3"),
        ("/queue/send?queue=orders&body=x&n=3", 200, "msg_6"),
    ];
    check(&scene, &rows).await;
    let messages = scene.services.messages.lock();
    let bodies: Vec<_> = messages.iter().map(|(queue, message)| (queue.as_str(), &message.body[..])).collect();
    let orders = |body: &'static str| ("orders", body.as_bytes());
    assert_eq!(bodies, ["one", "two", "three", "x0", "x1", "x2"].map(orders));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(messages[0].1.attributes, [pair("sender", "state"), pair("content-type", "text/plain")]);
    assert_eq!(messages[1].1.delay.as_secs(), 60);
    assert_eq!(messages[2].1.group.as_deref(), Some(&b"g"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_sent_is_refused_and_says_why() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/queue/send?queue=secret&body=x", 403, "queue.secret was not granted"),
        ("/queue/send?queue=reading&body=x", 403, "granted for reading only"),
        ("/queue/send?queue=full&body=x", 503, "Unavailable"),
        ("/queue/send?queue=unclear&body=x", 503, "UnknownOutcome"),
        ("/queue/send?queue=orders&body=x&group=g&delay=1", 400, "can't be delayed"),
        ("/queue/send?queue=orders&body=x&delay=1209600001", 400, "allowed 1209600000"),
        ("/queue/send?queue=orders&body=x&n=1001", 413, "1001 messages, allowed 1000"),
        ("/queue/send?queue=orders&size=1048577", 413, "1048577"),
        ("/queue/send?queue=orders&body=x&n=0", 200, "[]"),
    ];
    check(&scene, &rows).await;
    assert_eq!(scene.services.messages.lock().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_has_no_number_and_no_place() {
    let rows = [
        ("/queue/send?queue=held&body=x", 200, r#"[{"id":null,"duplicate":false}]"#),
        ("/stream/append?stream=held&body=x&n=2", 200, "[null,null]"),
    ];
    check(&Arc::new(Scene::new()), &rows).await;
}

/// What the host copies out of a guest in one call is bounded: more ends the guest, and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_more_than_its_bound_ends_the_guest() {
    let scene = Arc::new(Scene::new());
    let answered = ask(&scene, "/queue/send?queue=orders&size=1000000&n=20").await;
    assert_eq!(answered.code(), Some(Code::E0501), "{answered:#?}");
    assert_eq!(scene.services.messages.lock().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_appended_and_read() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/stream/read?stream=clicks", 200, "[]"),
        ("/stream/append?stream=clicks&body=one&key=k", 200, "[[0,0]]"),
        ("/stream/append?stream=clicks&body=x&n=3", 200, "[[0,1],[0,2],[0,3]]"),
        ("/stream/read?stream=clicks&from=0&max=2", 200, r#"[[0,"k","one"],[1,null,"x0"]]"#),
        ("/stream/read?stream=clicks&from=3&max=4000000000", 200, r#"[[3,null,"x2"]]"#),
        ("/stream/read?stream=reading&from=3", 200, r#"[[3,null,"x2"]]"#),
        ("/stream/append?stream=reading&body=x", 403, "granted for reading only"),
        ("/stream/append?stream=secret&body=x", 403, "stream.secret was not granted"),
        ("/stream/read?stream=trimmed&from=1", 410, "Trimmed(4)"),
        ("/stream/append?stream=clicks&body=x&n=1001", 413, "1001 records, allowed 1000"),
    ];
    check(&scene, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_published_with_all_that_an_event_must_have() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/publish?type=order.created&subject=7&data=x&id=e1&source=/shop&time=1000&x=priority", 200, r#"["e1"]"#),
        ("/publish?type=plain&bus=audit", 200, "[\""),
        ("/publish?type=many&n=3&id=e", 200, r#"["e","e","e"]"#),
        ("/publish?type=x&bus=secret", 403, "event.secret was not granted"),
        ("/publish?type=", 400, "an event has a type"),
        ("/publish?type=x&x=Priority", 400, "no name of an extension"),
        ("/publish?type=x&id=", 400, "the attribute id is empty"),
        ("/publish?type=x&time=18446744073709551615", 400, "beyond the year 2554"),
        ("/publish?type=x&n=1001", 413, "1001 events, allowed 1000"),
    ];
    check(&scene, &rows).await;
    let events = scene.services.events.lock();
    assert_eq!(events.len(), 5);
    let (bus, event) = &events[0];
    assert_eq!((bus.as_str(), event.source.as_str(), event.subject.as_deref()), ("default", "/shop", Some("7")));
    assert_eq!((event.time.map(|time| time.unix_ms()), event.extensions.len()), (Some(1000), 1));
    let (bus, event) = &events[1];
    assert_eq!((bus.as_str(), event.source.as_str(), event.id.len()), ("audit", "/app/function", 32));
    assert!(event.time.is_some());
}

const EVENTS: &str = r#"[
    {"specversion":"1.0","id":"a","source":"/s","type":"message","subject":"one","data_base64":"b25l"},
    {"specversion":"1.0","id":"b","source":"/s","type":"message","datacontenttype":"text/plain","data":"bad"}
]"#;

async fn deliver(scene: &Arc<Scene>, request: http::Request<ports::Body>) -> crate::serving::scene::Answered {
    send(&loaded("state").await, request, scene).await
}

fn in_mode(mode: &str) -> Arc<Scene> {
    let mut scene = Scene::new();
    scene.environment.insert("MODE".into(), mode.into());
    Arc::new(scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_events_is_counted_and_passed_on() {
    let scene = in_mode("count");
    assert_eq!(deliver(&scene, batch(EVENTS)).await.status, 204);
    assert_eq!(deliver(&scene, batch(EVENTS)).await.status, 204);
    let bodies: Vec<_> = scene.services.messages.lock().iter().map(|(_, message)| message.body.clone()).collect();
    assert_eq!(bodies, ["a", "b", "a", "b"]);
    assert_eq!(ask(&scene, "/kv/get?key=n").await.text().trim(), "\"4\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_ends_as_it_says() {
    let rows = [
        ("fail", 500, "failed on purpose", None),
        ("fail-ids", 200, r#"{"failed":["b"]}"#, None),
        ("count-good", 200, r#"{"failed":["b"]}"#, None),
        ("unknown-ids", 200, r#"{"failed":["nobody"]}"#, None),
        ("log", 204, "", None),
        ("set", 204, "", None),
        ("trap", 0, "", Some(Code::E0501)),
        ("trap-after-ack", 200, "", Some(Code::E0501)),
        ("none-such", 500, "", None),
    ];
    for (mode, status, body, code) in rows {
        let scene = in_mode(mode);
        let answered = deliver(&scene, batch(EVENTS)).await;
        assert_eq!((answered.status, answered.code()), (status, code), "{mode}: {answered:#?}");
        assert!(answered.text().contains(body), "{mode}: {answered:#?}");
        let sent = scene.services.messages.lock().len();
        let expected = if mode.starts_with("trap") { 2 } else { usize::from(mode == "count-good") };
        assert_eq!(sent, expected, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_comes_in_the_header_and_the_body() {
    let scene = in_mode("log");
    let request = http::Request::post("http://state.internal/").header("ce-specversion", "1.0").header("ce-id", "1");
    let request =
        request.header("ce-source", "/s").header("ce-type", "t").header("ce-subject", "caf%C3%A9").header("ce-note", "x");
    let request = request.header("content-type", "text/plain").body(ports::Body::from("data")).expect("a request");
    assert_eq!(deliver(&scene, request).await.status, 204);
    let told = scene.told.lock();
    let line = r#"event t id 1 source /s subject Some("café") type Some("text/plain") data data"#;
    assert!(told.logs.iter().any(|(_, _, text)| text == line), "{:#?}", told.logs);
    assert!(told.logs.iter().any(|(_, _, text)| text == "extension note x"), "{:#?}", told.logs);
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_of_services_are_bounded_like_all_others() {
    let scene = Arc::new(Scene::new());
    let answered = send(&loaded("state").await, get("/sql/connections?n=100"), &scene).await;
    assert_eq!(answered.text().trim(), limits::SQL_CONNECTIONS.to_string());
}
