//! A node from its start to its end.

use bytes::Bytes;
use cli::node::{Node as _, ReplayOptions};
use http::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use types::{
    Code,
    wire::{
        journal::JournalView,
        replay::ReplayReport,
        view::{Bill, Log, Request, Trace},
    },
};

use crate::world::{app, ask, deploy, get, local, options, program, send, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_function_answers_and_still_does_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path()).await;
    assert_eq!(get(&node, "/ada").await.status(), StatusCode::NOT_FOUND);
    let deployed = deploy(&node, &app("hello"), program("hello")).await.expect("it is deployed");
    assert_eq!(deployed.plan.revision.0, 1);
    assert_eq!(get(&node, "/ada").await.body(), "hello ada\n");
    let token = node.token.clone();
    node.shutdown().await;

    let node = start(folder.path()).await;
    assert_eq!(node.token, token, "whoever had the token still has it");
    assert_eq!(get(&node, "/ada").await.body(), "hello ada\n");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_is_traced_logged_billed_and_replayed_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path()).await;
    deploy(&node, &app("hello"), program("rust-wasip2")).await.expect("it is deployed");
    get(&node, "/log?text=seen").await;
    let failed = get(&node, "/fail-after-work").await;
    assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);

    let request: Request = ask(&node, "/v1/invocations/last").await.expect("it was recorded");
    assert!(request.error && request.replayable && request.status == 500);
    assert_eq!(failed.headers()["x-request-id"], request.invocation.as_str());
    let trace: Trace = ask(&node, &format!("/v1/traces/{}", request.short)).await.expect("a trace");
    assert_eq!(trace.roots.len(), 1);
    let logs: Vec<Log> = ask(&node, "/v1/logs?text=seen").await.expect("logs");
    assert!(!logs.is_empty());
    let bill: Bill = ask(&node, "/v1/cost?by=total").await.expect("a bill");
    assert_eq!(bill.total.usage.requests, 2);
    let journal: JournalView = ask(&node, &format!("/v1/invocations/{}/journal", request.invocation)).await.expect("a journal");
    assert!(journal.entries.iter().any(|entry| entry.kind == "call"));

    let path = format!("{}/v1/invocations/{}/export", node.control_url, request.invocation);
    let refused = send(Method::GET, path.clone(), Some(&node.token), Bytes::new()).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "the file holds bodies in clear");
    let export = send(Method::GET, path + "?unsealed=true", Some(&node.token), Bytes::new()).await.into_body();
    node.shutdown().await;

    // Elsewhere: another folder, no node.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let replay = |export: Bytes, with: Option<Bytes>| {
        let options = ReplayOptions { cache_dir: elsewhere.path().to_owned(), export, with, until: None };
        async move { local().replay(options).await }
    };
    let report: ReplayReport = replay(export.clone(), None).await.expect("it can be replayed");
    assert!(report.faithful && report.steps_replayed > 0, "{report:?}");
    assert_eq!(report.status, Some(500));
    // The control: other code does not do the same.
    let other = replay(export.clone(), Some(program("hello"))).await.expect("it runs");
    assert!(!other.faithful, "{other:?}");
    let mut cut = export.to_vec();
    cut.truncate(cut.len() - 1);
    assert_eq!(replay(cut.into(), None).await.expect_err("it is cut short").code, Code::E0805);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_open_requests_finish() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path()).await;
    deploy(&node, &app("hello"), program("rust-wasip2")).await.expect("it is deployed");
    let address = node.gateway_url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut open = TcpStream::connect(&address).await.expect("the node listens");
    let request = "GET /slow-body?chunks=20&ms=50 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    open.write_all(request.as_bytes()).await.expect("it is sent");
    let mut answer = vec![open.read_u8().await.expect("it has begun")];
    node.shutdown().await;
    open.read_to_end(&mut answer).await.expect("it is not cut off");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("chunk 19\n") && answer.ends_with("0\r\n\r\n"), "{answer}");
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_and_a_taken_folder_are_named_and_leave_the_running_node_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path()).await;
    let address = |url: &str| url.trim_start_matches("http://").parse().expect("an address");

    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut taken = options(elsewhere.path());
    taken.gateway_addr = address(&node.gateway_url);
    let Err(problem) = local().start(taken).await else { panic!("the gateway's port is taken") };
    assert_eq!(problem.code, Code::E0701);
    assert_eq!(std::fs::read_dir(elsewhere.path()).expect("a folder").count(), 0, "nothing was written");

    let Err(problem) = local().start(options(folder.path())).await else { panic!("the folder is taken") };
    assert_eq!(problem.code, Code::E0607);
    assert!(problem.message.contains(&std::process::id().to_string()), "{problem}");

    assert_eq!(ask::<serde_json::Value>(&node, "/v1/health").await.expect("it is well")["ok"], true);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_that_cannot_run_are_refused_at_deployment() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path()).await;
    let problem = deploy(&node, &app("hello"), Bytes::from_static(b"not wasm")).await.expect_err("it is not Wasm");
    assert_eq!(problem.code, Code::E0305);
    let half = program("hello").slice(..10_000);
    let problem = deploy(&node, &app("hello"), half).await.expect_err("it is cut short");
    assert_eq!(problem.code, Code::E0305);
    assert!(ask::<Vec<serde_json::Value>>(&node, "/v1/apps").await.expect("a list").is_empty());
    node.shutdown().await;
}
