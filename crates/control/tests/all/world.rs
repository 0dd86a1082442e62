//! A control plane on the in-memory models, with a runtime, an invoker and a data plane that only take notes.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use control::{Control, Hosts, Parts, Token};
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use ports::{
    Blob, Body, BoxFuture, Catalog, Clock, Invocation, Invoker, Journals, Loaded, Plane, Runtime,
    runtime::{ArtifactSource, Prepared},
};
use serde::de::DeserializeOwned;
use testkit::{
    TestClock,
    model::{ModelBlob, ModelCatalog, ModelTelemetry},
};
use tower::ServiceExt as _;
use types::{
    App, Code, Digest, Function, FunctionName, InvocationId, PriceSheet, Problem, Snapshot, StartClass, Timestamp,
    app::Build,
    journal::Journal,
    revision::AppKey,
    wire::api::{Artifact, Deploy, Deployed, Plan, Uploaded},
};

use crate::stores::Stores;

pub(crate) const TOKEN: &str = "dft_test";

/// Everything that a test looks at.
pub(crate) struct World {
    pub(crate) control: Arc<Control>,
    pub(crate) router: Router,
    pub(crate) plane: Arc<NotingPlane>,
    pub(crate) runtime: Arc<NotingRuntime>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) telemetry: Arc<ModelTelemetry>,
    pub(crate) stores: Arc<Stores>,
    clock: Arc<TestClock>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(TestClock::new());
        let stores = Arc::new(Stores::new(&(Arc::clone(&clock) as Arc<dyn Clock>)));
        Self::with(Arc::new(ModelCatalog::default()), Arc::new(ModelBlob::default()), stores, clock).await
    }

    /// Another process with the same stores.
    pub(crate) async fn restarted(&self) -> Self {
        Self::with(Arc::clone(&self.catalog), Arc::clone(&self.blob), Arc::clone(&self.stores), Arc::clone(&self.clock)).await
    }

    async fn with(catalog: Arc<dyn Catalog>, blob: Arc<dyn Blob>, stores: Arc<Stores>, clock: Arc<TestClock>) -> Self {
        let (plane, runtime) = (Arc::new(NotingPlane::default()), Arc::new(NotingRuntime::default()));
        let telemetry = ModelTelemetry::new(14);
        let control = Control::restore(Parts {
            catalog: Arc::clone(&catalog),
            blob: Arc::clone(&blob),
            runtime: Arc::clone(&runtime) as Arc<dyn Runtime>,
            telemetry: Arc::clone(&telemetry) as Arc<dyn ports::Telemetry>,
            journals: Arc::new(NoJournals),
            invoker: Arc::new(Echo),
            data: stores.data(),
            rng: Arc::new(testkit::SeededRng::new(1)),
            planes: vec![Arc::clone(&plane) as Arc<dyn Plane>],
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            prices: PriceSheet::default(),
            hosts: Hosts { domain: None, gateway: "127.0.0.1:4000".parse().expect("an address") },
            default_app: None,
            token: Token::of(TOKEN),
            version: "0.0.0-test",
        })
        .await
        .expect("models can be read");
        Self { router: control::router(Arc::clone(&control)), control, plane, runtime, catalog, blob, telemetry, stores, clock }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
    /// Lets some time pass: what was recorded now lies in the past then.
    pub(crate) fn advance(&self) {
        self.clock.advance(Duration::from_secs(10));
    }

    pub(crate) async fn send(&self, request: Request<axum::body::Body>) -> Response<Bytes> {
        let (head, body) = self.router.clone().oneshot(request).await.expect("handlers answer").into_parts();
        Response::from_parts(head, body.collect().await.expect("bodies end").to_bytes())
    }

    /// A request with the token; a body that is not empty is sent as it is.
    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Response<Bytes> {
        let body = axum::body::Body::from(body.into());
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
        self.send(request.body(body).expect("a request")).await
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        read(self.call("GET", path, "").await)
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl serde::Serialize) -> Result<T, Problem> {
        read(self.call("POST", path, serde_json::to_vec(body).expect("it is JSON")).await)
    }

    pub(crate) async fn upload(&self, code: &'static [u8]) -> Artifact {
        let uploaded: Uploaded = read(self.call("POST", "/v1/artifacts", code).await).expect("it is stored");
        Artifact { digest: uploaded.digest, bytes: uploaded.bytes }
    }

    /// Uploads the code and deploys the app with it, on top of whatever is newest.
    pub(crate) async fn deploy(&self, app: &App, code: &'static [u8]) -> Result<Deployed, Problem> {
        let path = format!("/v1/apps/{}/{}", app.name, app.env);
        let mut deploy = self.deployment(app, code).await;
        let plan: Plan = self.post(&format!("{path}/plan"), &deploy).await?;
        deploy.after = plan.latest;
        self.post(&format!("{path}/deploy"), &deploy).await
    }

    /// Deploys on top of whatever is newest, with everything that the deployment says.
    pub(crate) async fn deploy_all(&self, mut deploy: Deploy) -> Result<Deployed, Problem> {
        let path = format!("/v1/apps/{}/{}", deploy.app.name, deploy.app.env);
        let plan: Plan = self.post(&format!("{path}/plan"), &deploy).await?;
        deploy.after = plan.latest;
        self.post(&format!("{path}/deploy"), &deploy).await
    }

    pub(crate) async fn deployment(&self, app: &App, code: &'static [u8]) -> Deploy {
        let artifact = self.upload(code).await;
        Deploy::of(app.clone(), app.functions.keys().map(|name| (name.clone(), artifact)).collect())
    }
}

/// The answer, or the problem; a problem's status must be its code's.
pub(crate) fn read<T: DeserializeOwned>(response: Response<Bytes>) -> Result<T, Problem> {
    if response.status() == StatusCode::OK {
        return Ok(serde_json::from_slice(response.body()).expect("the answer is of the type that the document names"));
    }
    let problem: Problem = serde_json::from_slice(response.body()).expect("what is not an answer is a problem");
    assert_eq!(response.status().as_u16(), problem.code.status(), "{problem}");
    Err(problem)
}

pub(crate) fn key(app: &str, env: &str) -> AppKey {
    AppKey { app: app.parse().expect("a name"), env: env.parse().expect("a name") }
}

/// An app with these functions, each with its routes.
pub(crate) fn app(name: &str, env: &str, functions: &[(&str, &[&str])]) -> App {
    let function = |(name, routes): &(&str, &[&str])| {
        let name: FunctionName = name.parse().expect("a name");
        let function = Function {
            routes: routes.iter().map(|route| route.parse().expect("a route")).collect(),
            ..Function::empty(name.clone(), name.to_string(), Build::Component)
        };
        (name, function)
    };
    let key = key(name, env);
    App { functions: functions.iter().map(function).collect(), ..App::empty(key.app, key.env) }
}

#[derive(Default)]
pub(crate) struct NotingPlane(Mutex<Vec<Arc<Snapshot>>>);

impl Plane for NotingPlane {
    fn install(&self, snapshot: &Arc<Snapshot>) {
        self.0.lock().push(Arc::clone(snapshot));
    }
}

impl NotingPlane {
    pub(crate) fn installed(&self) -> Vec<Arc<Snapshot>> {
        self.0.lock().clone()
    }
    /// `app/env r1 host,host` for each app of the newest snapshot.
    pub(crate) fn serves(&self) -> Vec<String> {
        let newest = self.0.lock().last().cloned().expect("control installs a snapshot at its start");
        let line = |app: &Arc<types::LiveApp>| {
            let default = if app.default { " default" } else { "" };
            format!("{} r{} {}{default}", app.key, app.pick(0).number, app.hosts.join(","))
        };
        newest.apps.iter().map(line).collect()
    }
}

/// Prepares whatever does not begin with `bad`.
#[derive(Default)]
pub(crate) struct NotingRuntime {
    pub(crate) prepared: AtomicUsize,
    pub(crate) loaded: AtomicUsize,
    pub(crate) refreshed: Mutex<Vec<Bytes>>,
    /// What was said last to be needed.
    pub(crate) retained: Mutex<Option<BTreeSet<Digest>>>,
}

#[async_trait]
impl Runtime for NotingRuntime {
    fn engine(&self) -> &str {
        "none"
    }
    async fn prepare(&self, digest: &Digest, artifact: &[u8]) -> Result<Prepared, Problem> {
        assert_eq!(digest.as_bytes(), blake3::hash(artifact).as_bytes(), "the bytes are those of the digest");
        // Others get their turn here, as they do while a compiler runs.
        tokio::task::yield_now().await;
        if artifact.starts_with(b"bad") {
            return Err(Problem::new(Code::E0305, "the artifact is damaged"));
        }
        self.prepared.fetch_add(1, Ordering::Relaxed);
        let artifact_bytes = artifact.len() as u64;
        let logs = artifact.strip_prefix(b"says ").map(|said| String::from_utf8_lossy(said).into_owned()).into_iter().collect();
        Ok(Prepared { artifact_bytes, compiled_bytes: 1, cached: false, imports: vec![], logs })
    }
    fn resident(&self, _: &Digest) -> Option<Arc<dyn Loaded>> {
        None
    }
    async fn refresh(&self, digests: Vec<Digest>, artifacts: Arc<dyn ArtifactSource>) {
        for digest in digests {
            let artifact = artifacts.artifact(&digest).await.expect("it is stored");
            self.refreshed.lock().push(artifact);
        }
    }
    async fn retain(&self, kept: BTreeSet<Digest>) {
        *self.retained.lock() = Some(kept);
    }
    async fn load(&self, _: &Digest, _: &dyn ArtifactSource) -> Result<(Arc<dyn Loaded>, StartClass), Problem> {
        self.loaded.fetch_add(1, Ordering::Relaxed);
        Err(Problem::new(Code::E0513, "nothing runs here"))
    }
}

/// Answers with what it was asked.
struct Echo;

impl Invoker for Echo {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<Response<Body>> {
        Box::pin(async move {
            let Invocation { function, request, .. } = invocation;
            let (head, body) = request.into_parts();
            let body = body.collect().await.expect("the body is whole").to_bytes();
            if head.headers.get("dayfly-trigger").is_some_and(|trigger| trigger == "eval") {
                return evaluated(&body);
            }
            let said = format!("{} {} r{} {}", head.method, head.uri, function.revision, String::from_utf8_lossy(&body));
            let id = InvocationId::from_parts(1, [7; 10]).to_string();
            Response::builder().status(201).header("x-request-id", id).body(Body::from(said)).expect("a response")
        })
    }
}

/// As the JavaScript engine answers an expression: `1+1` is known, and `throw` throws.
fn evaluated(body: &[u8]) -> Response<Body> {
    let asked: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let response = Response::builder().header("x-request-id", InvocationId::from_parts(2, [7; 10]).to_string());
    match asked["code"].as_str().expect("code") {
        code if code.starts_with("throw") => {
            let mut response = response.status(502).body(Body::from("error")).expect("a response");
            let whole = "TypeError: no at src/é b.ts:1:3\n1 |   throw\n  |   ^\n  at eval (eval:1:1)";
            let message = if code == "throw" { whole } else { "Error: at all" }.to_owned();
            response.extensions_mut().insert(types::journal::Failure { code: Code::E0519, message });
            response
        }
        "null" => response.body(Body::from(r#"{"value":"null","json":null}"#)).expect("a response"),
        "undefined" => response.body(Body::from(r#"{"value":"undefined"}"#)).expect("a response"),
        "odd" => response.body(Body::from("[]")).expect("a response"),
        code => response.body(Body::from(serde_json::json!({"value": code, "json": [2]}).to_string())).expect("a response"),
    }
}

struct NoJournals;

#[async_trait]
impl Journals for NoJournals {
    async fn shown(&self, id: InvocationId) -> Result<Journal, Problem> {
        Err(Problem::new(Code::E0801, format!("no journal of {id} was kept")))
    }
    async fn export(&self, id: InvocationId) -> Result<Bytes, Problem> {
        Ok(Bytes::from(format!("export of {id}")))
    }
}
