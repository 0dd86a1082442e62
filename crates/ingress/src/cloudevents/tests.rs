//! Events against the specification: what survives each mode, what is refused, what is too large.

use http::HeaderMap;
use types::{CloudEvent, Code, Timestamp, limits};

use super::*;

fn event() -> CloudEvent {
    CloudEvent {
        id: "a 1%\"é".into(),
        source: "/apps/shop/dev".into(),
        kind: "order.created".into(),
        subject: Some("größe/1".into()),
        time: Some(Timestamp::from_unix_ms(1_795_262_467_123)),
        content_type: Some("application/json".into()),
        schema: Some("https://example.com/order".into()),
        extensions: vec![("traceparent".into(), "00-x".into())],
        data: Some(Bytes::from_static(br#"{"total":12.50,"n":12345678901234567890}"#)),
    }
}

fn typed(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type.parse().expect("a value"));
    headers
}

#[test]
fn an_event_survives_all_three_modes() {
    let (headers, body) = to_binary(&event()).expect("it fits");
    assert_eq!(headers["ce-id"], "a%201%25%22%C3%A9");
    assert_eq!(headers["ce-specversion"], "1.0");
    assert_eq!(from_request(&headers, body), Ok(vec![event()]));
    assert_eq!(from_request(&typed(STRUCTURED), to_structured(&event())).map(|mut all| all.remove(0).id), Ok(event().id));
    let twice = from_request(&typed("application/cloudevents-batch+json; charset=utf-8"), to_batch([&event(), &event()]));
    assert_eq!(twice.map(|all| all.len()), Ok(2));
}

#[test]
fn json_data_stands_in_the_batch_as_it_was() {
    let text = String::from_utf8(to_batch([&event()]).to_vec()).expect("text");
    assert!(text.contains(r#""data":{"total":12.50,"n":12345678901234567890}"#), "{text}");
}

#[test]
fn data_keeps_its_bytes_whatever_it_is() {
    let cases: [(Option<&str>, &[u8]); 5] = [
        (Some("text/plain"), b"h\xc3\xa9llo"),
        (Some("application/octet-stream"), b"\xff\x00"),
        (Some("application/json"), b"not json"),
        (None, b"bytes of nobody knows what"),
        (Some("application/vnd.x+json"), br#"{"a":1}"#),
    ];
    for (content_type, data) in cases {
        let mut event = event();
        event.content_type = content_type.map(str::to_owned);
        event.data = Some(Bytes::copy_from_slice(data));
        let read = from_request(&typed(STRUCTURED), to_structured(&event)).expect("it is an event");
        assert_eq!((&read[0].data, &read[0].content_type), (&event.data, &event.content_type));
    }
}

#[test]
fn what_breaks_the_rules_is_refused() {
    let good = r#""specversion":"1.0","id":"1","source":"/a","type":"t""#;
    assert!(from_request(&typed(STRUCTURED), format!("{{{good}}}").into()).is_ok());
    let bad = [
        "[]".to_owned(),
        "{}".to_owned(),
        "{".to_owned(),
        format!("{{{}}}", good.replace("1.0", "0.3")),
        format!("{{{}}}", good.replace(r#""id":"1""#, r#""id":"""#)),
        format!("{{{}}}", good.replace(r#""id":"1""#, r#""id":7"#)),
        format!("{{{}}}", good.replace("/a", "a b")),
        format!(r#"{{{good},"Bad-Name":"x"}}"#),
        format!(r#"{{{good},"list":[1]}}"#),
        format!(r#"{{{good},"time":"yesterday"}}"#),
        format!(r#"{{{good},"time":"1969-12-31T00:00:00Z"}}"#),
        format!(r#"{{{good},"data":1,"data_base64":"AA=="}}"#),
        format!(r#"{{{good},"data_base64":"?"}}"#),
        format!(r#"{{{good},"subject":"a\nb"}}"#),
        format!(r#"{{{good},"dataschema":"relative"}}"#),
    ];
    for body in bad {
        let refused = from_request(&typed(STRUCTURED), body.clone().into()).expect_err(&body);
        assert_eq!(refused.code, Code::E0411, "{body}");
    }
    assert_eq!(from_request(&HeaderMap::new(), Bytes::new()).expect_err("nothing").code, Code::E0411);
    assert_eq!(from_request(&typed("application/cloudevents+avro"), Bytes::new()).expect_err("avro").code, Code::E0411);
}

#[test]
fn an_event_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let mut event = event();
    event.content_type = Some("text/plain".into());
    event.data = Some(Bytes::new());
    let room = usize::try_from(limits::EVENT.0 - size(&event)).expect("it fits");
    event.data = Some(vec![b'a'; room].into());
    let (headers, body) = to_binary(&event).expect("it fits");
    assert!(from_request(&headers, body).is_ok());
    event.data = Some(vec![b'a'; room + 1].into());
    let (headers, body) = to_binary(&event).expect("it fits");
    assert_eq!(from_request(&headers, body).expect_err("one byte more").code, Code::E0614);
}

#[test]
fn attributes_too_large_for_header_fields_are_not_put_there() {
    let mut event = event();
    event.extensions = vec![("long".into(), "x".repeat(BINARY_HEADERS_MAX))];
    assert!(to_binary(&event).is_none());
}
