//! An endpoint over the model of objects, and requests signed by AWS's own signer, each on a connection of its own.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws::{Aws, S3Limits, Settings, Used, Verification};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use ports::{
    AccessKeys, Clock, Objects, StoreError,
    objects::BucketName,
    secrets::{AccessKey, SecretValue},
};
use testkit::{SeededRng, model::ModelObjects};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use types::{
    AppKey, Timestamp,
    id::{AppName, EnvName},
};

/// Keys in memory.
#[derive(Default)]
pub(crate) struct Keys {
    all: Mutex<Vec<AccessKey>>,
    /// How often one was looked for.
    pub(crate) found: AtomicUsize,
}

#[async_trait]
impl AccessKeys for Keys {
    async fn issue(&self, app: &AppKey, read_only: bool) -> Result<AccessKey, StoreError> {
        let mut keys = self.all.lock();
        let (id, secret) = (format!("AKTEST{:014}", keys.len()), format!("secret/+{}", keys.len()));
        let key =
            AccessKey { id, secret: SecretValue(secret.into()), app: app.clone(), read_only, issued: Timestamp::from_unix_ms(0) };
        keys.push(key.clone());
        Ok(key)
    }
    async fn find(&self, id: &str) -> Result<Option<AccessKey>, StoreError> {
        self.found.fetch_add(1, Ordering::SeqCst);
        Ok(self.all.lock().iter().find(|key| key.id == id).cloned())
    }
    async fn list(&self, app: &AppKey) -> Result<Vec<AccessKey>, StoreError> {
        Ok(self.all.lock().iter().filter(|key| key.app == *app).cloned().collect())
    }
    async fn revoke(&self, id: &str) -> Result<bool, StoreError> {
        let mut keys = self.all.lock();
        let before = keys.len();
        keys.retain(|key| key.id != id);
        Ok(keys.len() < before)
    }
}

/// What was used, in the order in which requests ended.
#[derive(Default)]
pub(crate) struct Bill(pub(crate) Mutex<Vec<Used>>);

impl aws::Meter for Bill {
    fn used(&self, _: &AppKey, used: &Used) {
        self.0.lock().push(used.clone());
    }
}

/// An endpoint on a free port, ended when it is dropped.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) objects: Arc<ModelObjects>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) bill: Arc<Bill>,
    pub(crate) key: AccessKey,
    pub(crate) app: AppKey,
    shutdown: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

pub(crate) fn app(name: &str) -> AppKey {
    AppKey { app: AppName::new(name).expect("a name"), env: EnvName::new("dev").expect("a name") }
}

impl Endpoint {
    /// With the bucket `uploads` of the app `shop`, and parts of any size from 1 KiB.
    pub(crate) async fn start() -> Self {
        Self::with(Verification::On, S3Limits { part_min: types::ByteCount::kib(1), ..S3Limits::default() }).await
    }

    pub(crate) async fn with(verification: Verification, limits: S3Limits) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(system::SystemClock::new());
        let objects = Arc::new(ModelObjects::new(Arc::clone(&clock)));
        let (keys, bill, app) = (Arc::new(Keys::default()), Arc::new(Bill::default()), app("shop"));
        let key = keys.issue(&app, false).await.expect("a key");
        objects.create_bucket(&BucketName::of(&app.app, &app.env, "uploads")).await.expect("a bucket");
        let settings = Settings {
            objects: Arc::clone(&objects) as _,
            access_keys: Arc::clone(&keys) as _,
            clock,
            rng: Arc::new(SeededRng::new(1)),
            verification,
            limits,
            meter: Some(Arc::clone(&bill) as _),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, ended) = oneshot::channel();
        let served = Aws::new(settings).serve(listener, async { drop(ended.await) });
        Self { address, objects, keys, bill, key, app, shutdown: Some(shutdown), served }
    }

    pub(crate) fn bucket(&self) -> BucketName {
        BucketName::of(&self.app.app, &self.app.env, "uploads")
    }

    /// Tells the endpoint to end; gives what ends with it.
    pub(crate) fn drain(&mut self) -> &mut JoinHandle<()> {
        drop(self.shutdown.take());
        &mut self.served
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }
    pub(crate) fn put(&self, path: &str, body: impl Into<Bytes>) -> Call {
        self.call(Method::PUT, path).body(body)
    }
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call {
            address: self.address,
            host: self.address.to_string(),
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            payload: Payload::Signed,
            key: Some(self.key.clone()),
            ago: 0,
            tamper: false,
        }
    }
}

/// What a signature says of the body.
#[derive(Clone)]
pub(crate) enum Payload {
    Signed,
    Is(&'static str),
}

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Call {
    address: SocketAddr,
    host: String,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    payload: Payload,
    key: Option<AccessKey>,
    ago: i64,
    tamper: bool,
}

/// A response, read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The text of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
    /// Fails the test unless the status is this.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?} {}", self.headers, self.text());
        self
    }
    /// Fails the test unless it is this error.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Self {
        let reply = self.is(status);
        assert_eq!(reply.element("Code").as_deref(), Some(code), "{}", reply.text());
        reply
    }
}

impl Call {
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    pub(crate) fn payload(mut self, is: &'static str) -> Self {
        self.payload = Payload::Is(is);
        self
    }
    /// Signed by this key, or by none.
    pub(crate) fn by(mut self, key: Option<&AccessKey>) -> Self {
        self.key = key.cloned();
        self
    }
    /// With this host.
    pub(crate) fn at(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }
    /// Signed so many seconds ago.
    pub(crate) fn ago(mut self, seconds: i64) -> Self {
        self.ago = seconds;
        self
    }
    /// Changed after it was signed.
    pub(crate) fn tampered(mut self) -> Self {
        self.tamper = true;
        self
    }

    fn time(&self) -> SystemTime {
        let now = system::SystemClock::new().now().unix_ns() / 1_000_000_000;
        SystemTime::UNIX_EPOCH + Duration::from_secs(now.saturating_add_signed(-self.ago))
    }

    fn settings(location: SignatureLocation) -> SigningSettings {
        let mut settings = SigningSettings::default();
        settings.signature_location = location;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings
    }

    /// The path and query of a link for this request that holds for so many seconds.
    pub(crate) fn link(&self, lasts: u64) -> String {
        let mut settings = Self::settings(SignatureLocation::QueryParams);
        settings.expires_in = Some(Duration::from_secs(lasts));
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        let pairs = self.signed(settings, SignableBody::UnsignedPayload).1;
        let query: Vec<_> =
            pairs.into_iter().map(|(name, value)| format!("{name}={}", value.replace('/', "%2F").replace('+', "%2B"))).collect();
        format!("{}{}{}", self.path, if self.path.contains('?') { "&" } else { "?" }, query.join("&"))
    }

    #[expect(clippy::type_complexity, reason = "pairs of texts, in headers and in the query")]
    fn signed(&self, settings: SigningSettings, body: SignableBody<'_>) -> (Vec<(String, String)>, Vec<(String, String)>) {
        let key = self.key.as_ref().expect("a key to sign with");
        let secret = String::from_utf8(key.secret.0.clone()).expect("text");
        let identity = Credentials::new(&key.id, secret, None, None, "test").into();
        let params =
            v4::SigningParams::builder().identity(&identity).region("us-east-1").name("s3").time(self.time()).settings(settings);
        let params = params.build().expect("all params").into();
        let url = format!("http://{}{}", self.host, self.path);
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(self.method.as_str(), url, headers, body).expect("a request that can be signed");
        let (instructions, _) = sign(request, &params).expect("a signature").into_parts();
        let (headers, query) = instructions.into_parts();
        let headers = headers.into_iter().map(|header| (header.name().to_owned(), header.value().to_owned()));
        (headers.collect(), query.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect())
    }

    /// The request as it goes out.
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.path).header("host", &self.host);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if self.key.is_some() {
            let body = match &self.payload {
                Payload::Signed => SignableBody::Bytes(&self.body),
                Payload::Is(text) => SignableBody::Precomputed((*text).to_owned()),
            };
            for (name, value) in self.signed(Self::settings(SignatureLocation::Headers), body).0 {
                request = request.header(name, value);
            }
        }
        if self.tamper {
            request = request.uri(format!("{}x", self.path));
        }
        request.body(Full::new(self.body.clone())).expect("a request")
    }

    pub(crate) async fn send(&self) -> Reply {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection);
        let response = tokio::time::timeout(Duration::from_secs(60), sender.send_request(self.request())).await;
        let (head, body) = response.expect("an answer in time").expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }
}
