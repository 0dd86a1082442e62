//! Least privilege, and what the journal shows of it. The controls run the same calls with the grant given.

use bytes::Bytes;
use http::Request;
use ports::{Body, Scope, outbound::OutboundRequest, runtime::Ended};
use std::{sync::Arc, time::Duration};
use types::Code;

use super::support::{World, answer, guest, put, text};

async fn fetch(scope: &Arc<dyn Scope>, uri: &str) -> Result<u16, Code> {
    let time = Duration::from_secs(1);
    let request = Request::get(uri).body(Body::Empty).expect("a request");
    let request =
        OutboundRequest { request, private_named: true, connect_time: time, first_byte_time: time, between_bytes_time: time };
    scope.outbound().send(request).await.map(|response| response.status().as_u16()).map_err(|failure| failure.code)
}

#[tokio::test]
async fn only_granted_stores_open_and_read_only_grants_do_not_write() {
    let run = guest(|_, scope, _| async move {
        assert_eq!(scope.kv("other").err().map(|failure| failure.code), Some(Code::E0201));
        let open = scope.kv("cache").expect("granted");
        let written = open.kv.commit(&open.namespace, put("a", "1")).await;
        let read = open.kv.get(&open.namespace, &Bytes::from_static(b"a")).await.expect("reading is granted");
        answer(&scope, 200, format!("{} {}", written.is_ok(), read.is_some()))
    });
    for (grant, expected) in [("kv.cache:read", "false false"), ("kv.cache", "true true")] {
        let world = World::new(run.clone(), |function| function.uses = vec![grant.parse().expect("a grant")]);
        assert_eq!(text(world.invoke("/").await).await.1, expected, "{grant}");
        let record = &world.records()[0];
        assert_eq!(record.refusals[0].code, Code::E0201);
        let spans: Vec<_> = record.spans.iter().map(|span| (span.name.as_str(), span.failed)).collect();
        assert_eq!(spans, [("kv.cache put \"a\"", grant.ends_with("read")), ("kv.cache get \"a\"", false)]);
        assert_eq!(record.usage.kv_calls, 2);
    }
}

#[tokio::test]
async fn only_named_hosts_are_reached() {
    let run = guest(|_, scope, _| async move {
        let allowed = fetch(&scope, "http://example.com/a?secret=1").await;
        let refused = fetch(&scope, "http://example.org/").await;
        answer(&scope, 200, format!("{allowed:?} {refused:?}"))
    });
    for (reach, expected) in [("http://example.com", "Ok(200) Err(E0207)"), ("http://*.org", "Err(E0207) Ok(200)")] {
        let world = World::new(run.clone(), |function| function.reach = vec![reach.parse().expect("a reach")]);
        assert_eq!(text(world.invoke("/").await).await.1, expected);
        let record = &world.records()[0];
        assert_eq!(record.refusals.len(), 1);
        assert_eq!(record.spans[0].name, "GET example.com/a", "the query is not shown");
    }
}

#[tokio::test]
async fn outbound_calls_are_counted_and_bounded() {
    let run = guest(|_, scope, _| async move {
        let mut last = Ok(0);
        for _ in 0..=types::limits::OUTBOUND_CALLS {
            last = fetch(&scope, "http://example.com/").await;
        }
        assert_eq!(last, Err(Code::E0510));
        drop(answer(&scope, 200, ""));
        Ended::Returned
    });
    let world = World::new(run, |_| {});
    drop(world.invoke("/").await);
    assert_eq!(world.settled(1).await[0].usage.outbound_calls, u64::from(types::limits::OUTBOUND_CALLS) + 1);
}
