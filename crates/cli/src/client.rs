//! The control API as a client sees it: one call, one answer, or a stream of lines.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Serialize, de::DeserializeOwned};
use types::{Code, Problem};

use crate::target::Target;

/// The body of a request: whole, or read piece by piece while it is sent.
type Sent = BoxBody<Bytes, std::io::Error>;

/// A client of one node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: Http<HttpConnector, Sent>,
    target: Target,
}

impl Client {
    pub(crate) fn new(target: Target) -> Self {
        Self { http: Http::builder(TokioExecutor::new()).build_http(), target }
    }

    /// The node that this speaks to.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Reads something.
    ///
    /// # Errors
    /// The problem that the node answers, or `E0705` if it can't be reached.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        let body = self.call(Method::GET, path, Bytes::new(), "application/json").await?;
        self.parse(&whole(body, &self.target.url).await?)
    }

    /// Reads something whose form is in a query.
    pub(crate) async fn search<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T, Problem> {
        self.get(&with_query(path, query)).await
    }

    /// Sends JSON and reads the answer.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        let json = serde_json::to_vec(body).map_err(|error| Problem::new(Code::E0709, error.to_string()))?;
        let body = self.call(Method::POST, path, json.into(), "application/json").await?;
        self.parse(&whole(body, &self.target.url).await?)
    }

    /// Sends bytes and reads the answer.
    pub(crate) async fn upload<T: DeserializeOwned>(&self, path: &str, bytes: Bytes) -> Result<T, Problem> {
        let body = self.call(Method::POST, path, bytes, "application/wasm").await?;
        self.parse(&whole(body, &self.target.url).await?)
    }

    /// Changes something with a body of bytes.
    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, bytes: impl Into<Bytes>) -> Result<T, Problem> {
        let body = self.call(Method::PUT, path, bytes.into(), "application/octet-stream").await?;
        self.parse(&whole(body, &self.target.url).await?)
    }

    /// Changes something with a body that is sent as it is read.
    pub(crate) async fn put_stream<T: DeserializeOwned>(
        &self,
        path: &str,
        body: impl http_body::Body<Data = Bytes, Error = std::io::Error> + Send + Sync + 'static,
        content_type: &str,
    ) -> Result<T, Problem> {
        let body = self.send(Method::PUT, path, BoxBody::new(body), content_type).await?;
        self.parse(&whole(body, &self.target.url).await?)
    }

    /// Removes something.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        let body = self.call(Method::DELETE, path, Bytes::new(), "application/json").await?;
        self.parse(&whole(body, &self.target.url).await?)
    }

    /// Reads bytes as they come.
    pub(crate) async fn stream(&self, path: &str) -> Result<Incoming, Problem> {
        self.call(Method::GET, path, Bytes::new(), "application/json").await
    }

    /// Reads bytes.
    pub(crate) async fn download(&self, path: &str) -> Result<Bytes, Problem> {
        let body = self.call(Method::GET, path, Bytes::new(), "application/json").await?;
        whole(body, &self.target.url).await
    }

    /// Reads a stream of JSON lines.
    pub(crate) async fn lines(&self, path: &str) -> Result<Lines, Problem> {
        let body = self.call(Method::GET, path, Bytes::new(), "application/json").await?;
        Ok(Lines { body, buffer: Vec::new(), url: self.target.url.clone() })
    }

    async fn call(&self, method: Method, path: &str, body: Bytes, content_type: &str) -> Result<Incoming, Problem> {
        let body = BoxBody::new(Full::new(body).map_err(|never| match never {}));
        self.send(method, path, body, content_type).await
    }

    async fn send(&self, method: Method, path: &str, body: Sent, content_type: &str) -> Result<Incoming, Problem> {
        let Target { url, token, .. } = &self.target;
        let request = Request::builder()
            .method(method)
            .uri(format!("{url}{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, content_type)
            .body(body)
            .map_err(|error| Problem::new(Code::E0705, format!("{url} is not a target: {error}")))?;
        let response = self.http.request(request).await.map_err(|error| unreachable(url, &error))?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        let status = response.status();
        let answer = whole(response.into_body(), url).await?;
        let unclear =
            || Problem::new(Code::E0705, format!("{url} answered {status}: {}", String::from_utf8_lossy(&answer).trim()));
        Err(serde_json::from_slice(&answer).unwrap_or_else(|_| unclear()))
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Problem> {
        let unclear = |error| Problem::new(Code::E0705, format!("{} answered something else: {error}", self.target.url));
        serde_json::from_slice(bytes).map_err(unclear)
    }
}

/// A path with a query made of the fields that are set.
pub(crate) fn with_query(path: &str, query: &impl Serialize) -> String {
    let fields = serde_json::to_value(query).unwrap_or_default();
    let pairs = fields.as_object().into_iter().flatten().filter_map(|(name, value)| {
        let text = match value {
            serde_json::Value::Null => return None,
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(format!("{name}={}", escape(&text)))
    });
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
pub(crate) fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

async fn whole(body: Incoming, url: &str) -> Result<Bytes, Problem> {
    body.collect().await.map(|body| body.to_bytes()).map_err(|error| unreachable(url, &error))
}

fn unreachable(url: &str, error: &dyn std::error::Error) -> Problem {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    Problem::new(Code::E0705, format!("{url} can't be reached: {}", causes.join(": ")))
        .help("dayfly up, or name a target with --to")
}

/// JSON lines as they come.
pub(crate) struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
    url: String,
}

impl Lines {
    /// The next line; `None` when the node ends the stream.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: what was read stays in the buffer.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Problem> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let unclear = |error| Problem::new(Code::E0705, format!("{} answered something else: {error}", self.url));
                return serde_json::from_slice(&line).map(Some).map_err(unclear);
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(unreachable(&self.url, &error)),
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            }
        }
    }
}
