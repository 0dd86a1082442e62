//! An egress with names of the test's own, and a server that counts who comes.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use egress::{Egress, EgressSettings, Guarding, Resolve, Roots};
use http::{Request, Response};
use http_body_util::BodyExt;
use ports::{Body, BoxFuture, Clock, Outbound, outbound::OutboundRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use types::{Timestamp, journal::Failure};

struct RealClock(Instant);
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ns(self.monotonic_ns())
    }
    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).expect("a test is short")
    }
    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        let left = monotonic_ns.saturating_sub(self.monotonic_ns());
        Box::pin(tokio::time::sleep(Duration::from_nanos(left.saturating_add(1_000_000))))
    }
}

/// Names with what each lookup gives, in turn; the last answer stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub(crate) lookups: AtomicUsize,
}

impl Names {
    pub(crate) fn with(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse =
            |answers: &&[&[&str]]| answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().expect(ip)).collect()).collect();
        let answers = names.iter().map(|(name, answers)| ((*name).to_owned(), parse(answers))).collect();
        Arc::new(Self { answers: Mutex::new(answers), lookups: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut names = self.answers.lock().expect("no panic");
        let answers = names.get_mut(host.trim_end_matches('.')).ok_or(io::ErrorKind::NotFound)?;
        if answers.len() > 1 { Ok(answers.remove(0)) } else { Ok(answers[0].clone()) }
    }
}

pub(crate) fn egress(names: Arc<Names>, guarding: Guarding) -> Egress {
    with_roots(names, guarding, Roots::Given(vec![]), vec![])
}

pub(crate) fn with_roots(names: Arc<Names>, guarding: Guarding, roots: Roots, own_addresses: Vec<SocketAddr>) -> Egress {
    Egress::new(EgressSettings { own_addresses, clock: Arc::new(RealClock(Instant::now())), resolver: names, roots, guarding })
}

/// A request whose reach names the place, with short times.
pub(crate) fn named(request: Request<Body>) -> OutboundRequest {
    let second = Duration::from_secs(1);
    OutboundRequest { request, private_named: true, connect_time: second, first_byte_time: second, between_bytes_time: second }
}

pub(crate) async fn get(egress: &Egress, uri: &str) -> Result<Response<Body>, Failure> {
    egress.send(named(Request::get(uri).body(Body::Empty).expect("a request"))).await
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

/// A raw HTTP/1.1 server: reads a head, then does what the closure says with the connection.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::on(listener, serve)
    }
    pub(crate) fn on<F: Future<Output = ()> + Send + 'static>(
        listener: TcpListener,
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections }
    }
    /// Answers every request with its own head as the body.
    pub(crate) async fn mirror() -> Self {
        Self::start(mirror).await
    }
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
    pub(crate) fn reached(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) async fn mirror(mut stream: TcpStream) {
    while let Some(head) = read_head(&mut stream).await {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nkeep-alive: timeout=5\r\n\r\n{head}", head.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
    }
}

pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
