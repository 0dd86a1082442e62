//! The API as a client meets it: the token on every route, the document, and bad input.

use bytes::Bytes;
use expect_test::expect_file;
use http::{Request, StatusCode, header::AUTHORIZATION};
use types::{
    Code, Problem, limits,
    wire::{
        Base64,
        api::{Invoke, Invoked, Node},
    },
};

use crate::world::{TOKEN, World, app, read};

/// Every method and path of the document, with values put in for parameters.
fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(control::document()).expect("it is JSON");
    let paths = document["paths"].as_object().expect("it has paths").clone();
    let filled = |path: &str| path.replace("{app}", "hello").replace("{env}", "dev").replace("{id}", "last");
    let of = |(path, item): (&String, &serde_json::Value)| {
        let methods: Vec<String> = item.as_object().expect("an item").keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(|method| (method, filled(path))).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn the_document_is_the_one_that_is_kept() {
    let document = control::document().to_pretty_json().expect("it is JSON");
    expect_file!["../../../../docs/reference/openapi.json"].assert_eq(&(document + "\n"));
}

#[test]
fn operations_have_names_of_their_own_and_every_answer_is_described() {
    let document = serde_json::to_value(control::document()).expect("it is JSON");
    let paths = document["paths"].as_object().expect("it has paths");
    let operations: Vec<_> = paths.values().flat_map(|item| item.as_object().expect("an item").values()).collect();
    let names: std::collections::BTreeSet<_> = operations.iter().map(|operation| operation["operationId"].to_string()).collect();
    assert_eq!(names.len(), operations.len(), "{names:?}");
    for operation in operations {
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.values().all(|answer| answer["description"].is_string()), "{operation}");
    }
}

#[tokio::test]
async fn every_route_asks_for_the_token_and_exists() {
    let world = World::new().await;
    let routes = routes();
    assert!(routes.len() >= 20, "{routes:?}");
    for (method, path) in routes {
        for sent in [None, Some("Bearer wrong"), Some("Basic ZGZ0X3Rlc3Q="), Some("dft_test"), Some("Bearer ")] {
            let mut request = Request::builder().method(method.as_str()).uri(&path);
            if let Some(value) = sent {
                request = request.header(AUTHORIZATION, value);
            }
            let response = world.send(request.body(axum::body::Body::empty()).expect("a request")).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path} with {sent:?}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            let problem: Problem = serde_json::from_slice(response.body()).expect("a problem");
            assert_eq!(problem.code, Code::E0702);
        }
        // The control: with the token it is let in, whatever comes then. What is no route would be answered as the fallback does.
        if path.ends_with("/follow") {
            continue;
        }
        let response = world.call(&method, &path, "").await;
        assert_ne!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
        let text = String::from_utf8_lossy(response.body());
        assert!(!text.contains("no such route") && !text.contains("does not answer to this method"), "{method} {path}: {text}");
    }
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_too_and_tells_nothing_without_the_token() {
    let world = World::new().await;
    assert_eq!(world.call("GET", "/v1/nothing", "").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(world.call("DELETE", "/v1/node", "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    for (method, path) in [("GET", "/v1/nothing"), ("DELETE", "/v1/node"), ("GET", "/")] {
        let request = Request::builder().method(method).uri(path).body(axum::body::Body::empty()).expect("a request");
        assert_eq!(world.send(request).await.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn bad_input_is_a_problem_with_a_code() {
    let world = World::new().await;
    let cases: &[(&str, &str, &'static str, Code)] = &[
        ("POST", "/v1/apps/hello/dev/plan", "", Code::E0709),
        ("POST", "/v1/apps/hello/dev/plan", "{", Code::E0709),
        ("POST", "/v1/apps/hello/dev/plan", "[]", Code::E0709),
        ("POST", "/v1/apps/hello/dev/deploy", r#"{"app":{"name":"UPPER"}}"#, Code::E0709),
        ("POST", "/v1/apps/hello/dev/rollback", r#"{"unknown":1}"#, Code::E0709),
        ("POST", "/v1/apps/hello/dev/rollback", "{}", Code::E0703),
        ("POST", "/v1/apps/hello/dev/invoke", r#"{"function":"api"}"#, Code::E0703),
        ("POST", "/v1/artifacts", "", Code::E0305),
        ("GET", "/v1/apps/UPPER/dev", "", Code::E0709),
        ("GET", "/v1/apps/hello/dev", "", Code::E0703),
        ("GET", "/v1/apps/hello/dev/revisions", "", Code::E0703),
        ("GET", "/v1/invocations?unknown=1", "", Code::E0709),
        ("GET", "/v1/invocations?status=many", "", Code::E0709),
        ("GET", "/v1/invocations/%2e%2e", "", Code::E0709),
        ("GET", "/v1/invocations/inv_zzzz", "", Code::E0706),
        ("GET", "/v1/invocations/last/export", "", Code::E0709),
        ("GET", "/v1/traces/last", "", Code::E0706),
        ("GET", "/v1/logs?level=loud", "", Code::E0709),
    ];
    for (method, path, body, code) in cases {
        let problem = read::<serde_json::Value>(world.call(method, path, *body).await).expect_err(path);
        assert_eq!(problem.code, *code, "{method} {path} {body}: {problem}");
    }
}

#[tokio::test]
async fn bodies_over_their_limits_are_refused_with_what_was_measured() {
    let world = World::new().await;
    let large = Bytes::from(vec![b' '; limits::CONTROL_BODY.as_usize() + 1]);
    let problem =
        read::<serde_json::Value>(world.call("POST", "/v1/apps/hello/dev/plan", large).await).expect_err("it is too large");
    assert!(problem.code == Code::E0709 && problem.message.contains("16 MiB"), "{problem}");
    let component = Bytes::from(vec![0; limits::COMPONENT.as_usize() + 1]);
    let problem = read::<serde_json::Value>(world.call("POST", "/v1/artifacts", component).await).expect_err("it is too large");
    assert!(problem.code == Code::E0306 && problem.message.contains("64 MiB"), "{problem}");
}

#[tokio::test]
async fn a_function_is_invoked_by_name() {
    let world = World::new().await;
    world.deploy(&app("hello", "dev", &[("api", &["/"])]), b"v1").await.expect("deployed");
    let invoke = Invoke {
        function: "api".parse().expect("a name"),
        method: "POST".into(),
        path: "/a?b=c".into(),
        headers: vec![("x-a".into(), "b".into())],
        body: Base64(Bytes::from_static(b"body")),
    };
    let invoked: Invoked = world.post("/v1/apps/hello/dev/invoke", &invoke).await.expect("it answers");
    assert_eq!(invoked.status, 201);
    assert_eq!(invoked.body.0, "POST http://hello.localhost/a?b=c r1 body");
    assert!(invoked.invocation.is_some());

    let wrong = [
        (Code::E0708, Invoke { function: "else".parse().expect("a name"), ..invoke.clone() }),
        (Code::E0709, Invoke { path: "no-slash".into(), ..invoke.clone() }),
        (Code::E0709, Invoke { path: "@evil.example/".into(), ..invoke.clone() }),
        (Code::E0709, Invoke { method: "BAD METHOD".into(), ..invoke.clone() }),
        (Code::E0709, Invoke { headers: vec![("a\nb".into(), "c".into())], ..invoke.clone() }),
        (Code::E0404, Invoke { headers: vec![("a".into(), "c".into()); 65], ..invoke.clone() }),
        (Code::E0405, Invoke { body: Base64(vec![0; limits::REQUEST_BODY.as_usize() + 1].into()), ..invoke }),
    ];
    for (code, invoke) in wrong {
        let problem = world.post::<Invoked>("/v1/apps/hello/dev/invoke", &invoke).await.expect_err("it is refused");
        assert_eq!(problem.code, code, "{problem}");
    }
}

#[tokio::test]
async fn the_node_says_what_it_is_and_what_its_limits_are() {
    let world = World::new().await;
    let node: Node = world.get("/v1/node").await.expect("it is well");
    assert_eq!((node.version.as_str(), node.snapshot), ("0.0.0-test", 1));
    let rows: Vec<serde_json::Value> = world.get("/v1/limits").await.expect("a table");
    assert_eq!(rows.len(), limits::table().len());
    assert_eq!(world.call("GET", "/v1/health", "").await.status(), StatusCode::OK);
    assert!(!String::from_utf8_lossy(world.call("GET", "/v1/node", "").await.body()).contains(TOKEN));
}
