//! What happens to each request, in this order: refusals of the scanner, draining, limits, address, route, body, invocation, response.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Method, Request, Response, Version, header, request::Parts};
use http_body::Body as _;
use hyper::body::Incoming;
use ports::{Body, BoxFuture, Invocation};
use types::{ByteCount, Code, Elapsed, LiveFunction, Problem, TraceContext};

use super::{
    Drain, Gateway,
    body::{self, Received},
    ingest::Ingest,
    problem, request,
    response::{self, Open, Sent},
    site::{self, Served},
    table::{Target, Unrouted},
    webhook,
    wire::{Conn, REFUSE},
};

/// The requests of one connection.
pub(crate) struct Service {
    gateway: Arc<Gateway>,
    conn: Arc<Conn>,
    drain: Drain,
}

impl Service {
    pub(crate) fn new(gateway: Arc<Gateway>, conn: Arc<Conn>, drain: Drain) -> Self {
        Self { gateway, conn, drain }
    }

    /// Who the request is for, its head made ready for a function.
    fn admit(&self, parts: &mut Parts, incoming: &Incoming) -> Result<Admitted, Unrouted> {
        self.check(parts, incoming)?;
        let table = self.gateway.table.load();
        let Parts { uri, method, .. } = &*parts;
        let find = |host: &str| table.find(host, uri.path(), method.as_str(), &*self.gateway.rng);
        Ok(match request::with_host(uri, find)? {
            Target::Function(function) => Admitted::Function { function, parent: request::clean(parts, &self.conn) },
            Target::File(found) => Admitted::File(site::Asked::new(found, parts)),
            Target::Events(ingest) => Admitted::Events { ingest, parent: request::clean(parts, &self.conn) },
        })
    }

    fn check(&self, parts: &mut Parts, incoming: &Incoming) -> Result<(), Box<Problem>> {
        if parts.method.as_str() == REFUSE
            && let Some(problem) = self.conn.refusal.lock().clone()
        {
            return Err(Box::new(problem));
        }
        if self.drain.has_begun() {
            return Err(Box::new(
                Problem::new(Code::E0409, "the node is draining")
                    .help("try again: another node answers, or this one once it is back"),
            ));
        }
        let limits = &self.gateway.limits;
        if parts.version == Version::HTTP_2 {
            check_http2(parts, limits)?;
        }
        let announced = ByteCount(incoming.size_hint().lower());
        if announced > limits.request_body {
            return Err(Box::new(Problem::limit(Code::E0405, "request body", announced, limits.request_body)));
        }
        request::make_absolute(parts, &self.conn)
    }

    /// A file of the app's site: no function runs, so nothing is recorded or charged.
    fn file(&self, asked: site::Asked, parts: &Parts, open: Open) -> Answer {
        let (method, version) = (parts.method.clone(), parts.version);
        match asked.serve(&parts.headers, &self.gateway.site_cache) {
            Served::Now(response) => Answer::Ready(Some(response::finish(response, &method, version, open))),
            Served::Later(running) => Answer::Invoked { running, method, version, open: Some(open) },
        }
    }

    fn body(&self, incoming: Incoming, version: Version) -> Body {
        if incoming.is_end_stream() {
            return Body::Empty;
        }
        let Gateway { limits, clock, .. } = &*self.gateway;
        let idle = Elapsed::from(limits.body_idle_time).ns();
        Body::stream(Received::new(incoming, version, limits.request_body.0, idle, Arc::clone(clock)))
    }
}

/// A request that has somebody to answer it.
enum Admitted {
    Function { function: Arc<LiveFunction>, parent: Option<TraceContext> },
    File(site::Asked),
    Events { ingest: Arc<Ingest>, parent: Option<TraceContext> },
}

/// What the scanner checks for HTTP/1 and hyper leaves to us for HTTP/2.
fn check_http2(parts: &Parts, limits: &super::GatewayLimits) -> Result<(), Box<Problem>> {
    let target = ByteCount(parts.uri.path_and_query().map_or(0, |target| target.as_str().len()) as u64);
    if target > limits.uri {
        return Err(Box::new(Problem::limit(Code::E0408, "request target", target, limits.uri)));
    }
    if parts.headers.len() > limits.header_count {
        return Err(Box::new(Problem::limit(Code::E0404, "header fields", parts.headers.len(), limits.header_count)));
    }
    let lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter().count();
    if parts.method == Method::CONNECT || lengths > 1 || parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(Box::new(Problem::new(Code::E0406, "the request is a CONNECT, or has two lengths or two hosts")));
    }
    Ok(())
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Sent>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let open = Open::new(&self.conn);
        let (mut parts, incoming) = request.into_parts();
        let (function, parent) = match self.admit(&mut parts, &incoming) {
            Ok(Admitted::Function { function, parent }) => (function, parent),
            Ok(Admitted::File(asked)) => {
                body::leave(incoming, parts.version, &*self.gateway.clock);
                return self.file(asked, &parts, open);
            }
            Ok(Admitted::Events { ingest, parent }) => {
                let (method, version, body) = (parts.method, parts.version, self.body(incoming, parts.version));
                let running = Box::pin(ingest.serve(Arc::clone(&self.gateway), parts.headers, body, parent));
                return Answer::Invoked { running, method, version, open: Some(open) };
            }
            Err(Unrouted { problem, allow }) => {
                body::leave(incoming, parts.version, &*self.gateway.clock);
                let mut response = problem::response(&problem, &parts.headers);
                if let Some(allow) = allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
                    response.headers_mut().insert(header::ALLOW, allow);
                }
                let mut response = response::finish(response, &parts.method, parts.version, open);
                if problem.code == Code::E0406 && parts.version <= Version::HTTP_11 {
                    // What follows a malformed request on its connection can't be trusted either.
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                return Answer::Ready(Some(response));
            }
        };
        let (method, version) = (parts.method.clone(), parts.version);
        let received_ns = self.gateway.clock.monotonic_ns();
        self.conn.seen.store(received_ns, Ordering::Relaxed);
        let body = self.body(incoming, version);
        let request = Request::from_parts(parts, body);
        let invocation = Invocation { function, request, parent, received_ns, depth: 0, batch: None };
        let running = match invocation.function.function.webhook {
            Some(_) => Box::pin(webhook::invoke(Arc::clone(&self.gateway), invocation)),
            None => self.gateway.invoker.invoke(invocation),
        };
        Answer::Invoked { running, method, version, open: Some(open) }
    }
}

/// The answer to one request. Dropping it, as hyper does when the client goes away, ends the invocation.
pub(crate) enum Answer {
    /// Known at once.
    Ready(Option<Response<Sent>>),
    /// The function's, a file that is read, or events that are taken in.
    Invoked { running: BoxFuture<Response<Body>>, method: Method, version: Version, open: Option<Open> },
}

impl Future for Answer {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match self.get_mut() {
            Self::Ready(response) => response.take().expect("an answer is polled to its end once"),
            Self::Invoked { running, method, version, open } => {
                let mut response = ready!(running.as_mut().poll(cx));
                let open = open.take().expect("an answer is polled to its end once");
                if open.conn().broken.load(Ordering::Relaxed) {
                    let problem = Problem::new(Code::E0406, "the request's body breaks its framing");
                    response = problem::response(&problem, &http::HeaderMap::new());
                }
                response::finish(response, method, *version, open)
            }
        };
        Poll::Ready(Ok(response))
    }
}
