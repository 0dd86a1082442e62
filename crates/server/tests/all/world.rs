//! A node as tests meet it: on free ports, over a folder, with an HTTP client that knows its token.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use cli::node::{Node, NodeOptions, RunningNode};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::de::DeserializeOwned;
use server::LocalNode;
use types::{
    App, Problem, RecordMode,
    wire::api::{Artifact, Deploy, Deployed, Plan, Uploaded},
};

/// A component that `cargo xtask programs` built.
pub(crate) fn program(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/programs").join(format!("{name}.wasm"));
    let bytes = std::fs::read(&path);
    bytes.unwrap_or_else(|error| panic!("{}: {error}; build it with: cargo xtask programs", path.display())).into()
}

pub(crate) fn local() -> LocalNode {
    LocalNode { compiler: PathBuf::from(env!("CARGO_BIN_EXE_dayfly")) }
}

/// Free ports, and a token that is made and kept.
pub(crate) fn options(data_dir: &Path) -> NodeOptions {
    let free = "127.0.0.1:0".parse().expect("an address");
    NodeOptions {
        data_dir: data_dir.to_owned(),
        gateway_addr: free,
        control_addr: free,
        aws_addr: free,
        token: None,
        default_app: None,
        domain: None,
    }
}

pub(crate) async fn start(data_dir: &Path) -> RunningNode {
    local().start(options(data_dir)).await.expect("a node starts")
}

/// An app of one function that answers to everything and may do what the test programs do.
pub(crate) fn app(name: &str) -> App {
    let manifest = serde_json::json!({
        "name": name, "env": "dev", "since": null, "domain": null,
        "functions": { "api": {
            "name": "api", "path": "api", "build": "component", "routes": ["/{*rest}", "/"], "uses": ["kv.things"], "reach": [],
            "env": {}, "limits": types::Limits::default(), "record": RecordMode::default(),
        }},
    });
    serde_json::from_value(manifest).expect("it is a model")
}

pub(crate) async fn send(method: Method, url: String, token: Option<&str>, body: Bytes) -> Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = client.request(request.body(Full::new(body)).expect("a request")).await.expect("the node answers");
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.expect("bodies end").to_bytes())
}

/// Asks the gateway.
pub(crate) async fn get(node: &RunningNode, path: &str) -> Response<Bytes> {
    send(Method::GET, format!("{}{path}", node.gateway_url), None, Bytes::new()).await
}

/// Asks the control API.
pub(crate) async fn ask<T: DeserializeOwned>(node: &RunningNode, path: &str) -> Result<T, Problem> {
    read(send(Method::GET, format!("{}{path}", node.control_url), Some(&node.token), Bytes::new()).await)
}

async fn post<T: DeserializeOwned>(node: &RunningNode, path: &str, body: Bytes) -> Result<T, Problem> {
    read(send(Method::POST, format!("{}{path}", node.control_url), Some(&node.token), body).await)
}

fn read<T: DeserializeOwned>(response: Response<Bytes>) -> Result<T, Problem> {
    if response.status().is_success() {
        return Ok(serde_json::from_slice(response.body()).expect("an answer of that type"));
    }
    Err(serde_json::from_slice(response.body()).expect("a problem"))
}

/// Uploads and deploys the component as the app's only function.
pub(crate) async fn deploy(node: &RunningNode, app: &App, component: Bytes) -> Result<Deployed, Problem> {
    let Uploaded { digest, bytes, .. } = post(node, "/v1/artifacts", component).await?;
    let artifacts = app.functions.keys().map(|name| (name.clone(), Artifact { digest, bytes })).collect();
    let mut deploy = Deploy::of(app.clone(), artifacts);
    let path = format!("/v1/apps/{}/{}", app.name, app.env);
    let body = |deploy: &Deploy| Bytes::from(serde_json::to_vec(deploy).expect("it is JSON"));
    let plan: Plan = post(node, &format!("{path}/plan"), body(&deploy)).await?;
    deploy.after = plan.latest;
    post(node, &format!("{path}/deploy"), body(&deploy)).await
}
