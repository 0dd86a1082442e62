//! A closed-loop HTTP/1.1 load generator: each connection sends its next request when the last was answered.
//!
//! It does as little as it can (one write, one read, a look for the end of the head), because it shares the cores with the server.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What is sent, to whom, for how long.
#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    /// The request, as it is sent again and again.
    pub request: Vec<u8>,
    pub connections: usize,
    pub duration: Duration,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Latency of each request in nanoseconds, sorted.
    pub latencies_ns: Vec<u64>,
    /// Responses that were not 2xx.
    pub failed: usize,
    pub seconds: f64,
}

impl Outcome {
    pub fn requests(&self) -> usize {
        self.latencies_ns.len()
    }
    pub fn per_second(&self) -> f64 {
        self.requests() as f64 / self.seconds
    }
    /// The latency that this share of requests did not exceed, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.latencies_ns.len().saturating_sub(1);
        self.latencies_ns.get((last as f64 * share) as usize).map_or(f64::NAN, |ns| *ns as f64 / 1e6)
    }
}

/// Runs the load and waits for its end.
pub async fn run(load: Load) -> Result<Outcome> {
    let began = Instant::now();
    let load = Arc::new(load);
    let tasks: Vec<_> = (0..load.connections).map(|_| tokio::spawn(connection(load.clone(), began + load.duration))).collect();
    let mut outcome = Outcome::default();
    for task in tasks {
        let (latencies, failed) = task.await??;
        outcome.latencies_ns.extend(latencies);
        outcome.failed += failed;
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    outcome.latencies_ns.sort_unstable();
    Ok(outcome)
}

async fn connection(load: Arc<Load>, until: Instant) -> Result<(Vec<u64>, usize)> {
    let mut client = Client::connect(load.address).await?;
    let request = &load.request;
    let (mut latencies, mut failed) = (Vec::with_capacity(1 << 16), 0);
    while Instant::now() < until {
        let began = Instant::now();
        let status = client.call(request).await?;
        latencies.push(u64::try_from(began.elapsed().as_nanos())?);
        failed += usize::from(!(200..300).contains(&status));
    }
    Ok((latencies, failed))
}

/// A GET request as bytes.
pub fn request(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: bench\r\naccept: */*\r\n\r\n").into_bytes()
}

/// A request with a body as bytes.
pub fn request_with(method: &str, host: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nuser-agent: bench\r\naccept: */*\r\n{length}\r\n");
    [head.as_bytes(), body].concat()
}

/// One kept-alive connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 1 << 20] })
    }

    /// Sends a request and reads its whole response; gives the status.
    pub async fn call(&mut self, request: &[u8]) -> Result<u16> {
        self.exchange(request).await.map(|(status, _)| status)
    }

    /// Sends a request and gives status and body of the response, taken out of its chunks.
    pub async fn answer(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>)> {
        let (status, length) = self.exchange(request).await?;
        let bytes = &self.buffer[..length];
        let head_end = head_end(bytes).context("the response has a head")?;
        let chunked = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = &bytes[head_end..];
        Ok((status, if chunked { unchunked(body)? } else { body.to_vec() }))
    }

    /// Sends a request and reads its whole response into the buffer; gives the status and the length.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            if let Some(status) = complete(&self.buffer[..filled]) {
                return Ok((status, filled));
            }
            ensure!(filled < self.buffer.len(), "the response is larger than {} bytes", self.buffer.len());
        }
    }
}

/// The status of a response that is all there, by its content-length or the last chunk.
fn complete(bytes: &[u8]) -> Option<u16> {
    let head_end = head_end(bytes)?;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let mut lines = head.split("\r\n").skip(1);
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    match length {
        Some(length) => (bytes.len() >= head_end + length).then_some(status),
        None => bytes.ends_with(b"0\r\n\r\n").then_some(status),
    }
}

/// Where the body begins, if the head is all there.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").context("a chunk begins with its length")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line])?.trim(), 16)?;
        if length == 0 {
            return Ok(body);
        }
        let chunk = rest.get(line + 2..line + 2 + length).context("a chunk is whole")?;
        body.extend_from_slice(chunk);
        rest = rest.get(line + 4 + length..).context("a chunk ends with a line")?;
    }
}
