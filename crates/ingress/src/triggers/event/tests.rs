//! Which events reach whom, and what a filter may cost.

use types::{AppName, EnvName, TraceContext};

use super::*;
use crate::triggers::fake;

fn event(kind: &str, data: &str) -> CloudEvent {
    CloudEvent {
        id: "1".into(),
        source: "/test".into(),
        kind: kind.into(),
        subject: None,
        time: None,
        content_type: Some("application/json".into()),
        schema: None,
        extensions: vec![("tenant".into(), "acme".into())],
        data: Some(data.to_owned().into()),
    }
}

#[test]
fn patterns_and_filters_choose_events() {
    let cases = [
        ("order.*", None, "order.created", "{}", true),
        ("order.*", None, "invoice.created", "{}", false),
        ("*", Some("event.data.total > 100"), "a", r#"{"total":150}"#, true),
        ("*", Some("event.data.total > 100"), "a", r#"{"total":100.5}"#, true),
        ("*", Some("event.data.total > 100"), "a", r#"{"total":50}"#, false),
        ("*", Some("event.tenant == 'acme' && event.type.startsWith('ord')"), "order", "{}", true),
        ("*", Some("event.data.items.exists(i, i.price > 3)"), "a", r#"{"items":[{"price":1},{"price":4}]}"#, true),
        ("*", Some("has(event.subject)"), "a", "{}", false),
    ];
    for (pattern, filter, kind, data, expected) in cases {
        assert_eq!(Wanted::new(pattern, filter).matches(&event(kind, data)), expected, "{pattern} {filter:?} {data}");
    }
}

#[test]
fn a_filter_that_fails_lets_nothing_through_and_is_counted() {
    for (text, data) in
        [("event.data.missing > 1", "{}"), ("event.data.total", r#"{"total":1}"#), ("event.data.a > 1", "not json")]
    {
        let filter = Filter::new(text);
        assert!(!filter.matches(&event("a", data)), "{text}");
        assert_eq!(filter.failures(), 1, "{text}");
    }
    assert!(!Filter::new("((").matches(&event("a", "{}")));
}

#[test]
fn what_one_evaluation_may_cost_is_bounded() {
    let nested = "event.data.all(a, event.data.all(b, event.data.all(c, true)))";
    assert!(!Filter::new(nested).matches(&event("a", "[1]")), "macros lie three deep");
    let two = Filter::new("event.data.all(a, event.data.all(b, true))");
    assert!(two.matches(&event("a", "[1,2]")));
    let large = format!("[{}1]", "1,".repeat(1_000));
    assert!(!two.matches(&event("a", &large)), "so much data is not for macros in macros");
    assert!(Filter::new("event.data.all(a, a == 1)").matches(&event("a", &large)));
    assert!(!Filter::new(&format!("true || '{}' == ''", "x".repeat(TEXT_MAX_FOR_TESTS))).matches(&event("a", "{}")));
}

/// Longer than any filter may be.
const TEXT_MAX_FOR_TESTS: usize = 5_000;

#[test]
fn publishing_records_each_event_and_reaches_each_function_once() {
    let on = |pattern: &str| {
        let source = Source::Event { bus: "default".into(), pattern: pattern.into(), filter: None };
        fake::on(source)
    };
    // Two revisions of `a` share the traffic and ask for overlapping events.
    let first = fake::revision(1, vec![fake::function("a", on("order.*")), fake::function("b", on("order.created"))]);
    let second = fake::revision(2, vec![fake::function("a", on("*"))]);
    let table = BusTable::new();
    table.install(&fake::snapshot(1, vec![(first, 50), (second, 50)]));
    let (app, env): (AppName, EnvName) = ("shop".parse().expect("a name"), "dev".parse().expect("a name"));
    let bus = BusName::of(&app, &env, "default");
    let trace = TraceContext::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("a trace");
    let cause = Some(Cause { trace, depth: 3 });
    let effects = table.effects(&bus, &[event("order.created", "1"), event("other", "2")], cause).expect("they are events");
    assert_eq!(effects.appends.len(), 2);
    let reached: Vec<&str> = effects.enqueues.iter().map(|(queue, _)| queue.short()).collect();
    assert_eq!(reached, ["~a", "~b", "~a"]);
    assert!(effects.enqueues.iter().all(|(_, message)| message.cause == cause));
    let other = BusName::of(&app, &env, "other");
    assert!(table.effects(&other, &[event("order.created", "1")], None).expect("an event").enqueues.is_empty());
}

#[test]
fn what_is_no_event_is_not_published() {
    let (app, env): (AppName, EnvName) = ("shop".parse().expect("a name"), "dev".parse().expect("a name"));
    let (bus, table) = (BusName::of(&app, &env, "default"), BusTable::new());
    let bad = CloudEvent { id: String::new(), ..event("a", "1") };
    assert!(matches!(table.effects(&bus, &[event("a", "1"), bad], None), Err(StoreError::Denied(_))));
    let large = CloudEvent { data: Some(vec![b' '; 1 << 20].into()), ..event("a", "1") };
    assert!(matches!(table.effects(&bus, &[large], None), Err(StoreError::TooLarge { what: "event", .. })));
    let many = vec![event("a", "1"); limits::EVENT_BATCH + 1];
    assert!(matches!(table.effects(&bus, &many, None), Err(StoreError::TooMany { .. })));
}
