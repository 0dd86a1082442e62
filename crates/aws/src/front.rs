//! What holds for every request, whatever it asks: refusals before its signature is looked at, pages of other origins, its id, its
//! body's pace, and what it used.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use data_encoding::HEXUPPER;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use ports::{BoxFuture, Clock};
use s3s::{
    Body, S3Error, StdError,
    config::{S3Config, StaticConfigProvider},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use types::{AppKey, Elapsed};

use crate::{
    auth::{Keys, Names},
    cors::Asked,
    documents,
    host::{self, Hosts},
    origins::{Origins, Page},
    s3::Api,
    settings::{Meter, Settings, Used},
    signed,
    wire::Open,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// What stands before the library, and the library.
pub(crate) struct Front {
    pub(crate) settings: Settings,
    s3: S3Service,
    origins: Origins,
}

impl Front {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { objects, access_keys, clock, verification, limits, .. } = &settings;
        let keys = Keys(Arc::clone(access_keys));
        let api = Api { objects: Arc::clone(objects), verification: *verification, part_min: limits.part_min };
        let mut builder = S3ServiceBuilder::new(api);
        builder.set_auth(keys.clone());
        builder.set_access(keys);
        builder.set_host(Hosts);
        builder.set_validation(Names);
        let mut config = S3Config::default();
        config.xml_max_body_size = limits.xml.as_usize();
        config.post_object_max_file_size = limits.form.0;
        config.form_max_fields_size = limits.head.as_usize();
        config.form_max_field_size = limits.head.as_usize();
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        let origins = Origins::new(Arc::clone(objects), Arc::clone(access_keys), Arc::clone(clock));
        Self { s3: builder.build(), origins, settings }
    }

    /// Serves one request; it is open until the response's body is gone.
    pub(crate) async fn serve(&self, request: Request<Incoming>, open: Open) -> Response<Answer> {
        let seen = Arc::new(Seen::default());
        let (head, body) = request.into_parts();
        // Who waits for leave to send a body of no bytes gets the answer instead of leave. AWS's own clients then take the next answer on
        // the connection for this one, and wait for more until they give up: so there is no next one.
        let last = head.headers.contains_key(header::EXPECT) && body.is_end_stream();
        let mut response = if let Some(error) = signed::refusal(&head, self.settings.clock.now()) {
            told(error)
        } else if head.method == Method::OPTIONS {
            let asked = Asked::read(&head.method, &head.headers);
            match self.origins.preflight(&head, asked.as_ref(), host::bucket(&head).as_deref()).await {
                Ok(headers) => with_headers(Response::new(Body::empty()), headers),
                Err(error) => told(error),
            }
        } else {
            let page = Page::of(&head);
            let response = self.call(Request::from_parts(head, body), &seen).await;
            match page.zip(seen.who.get()) {
                Some((page, (app, _))) => with_headers(response, self.origins.told(&page, app).await),
                None => response,
            }
        };
        if let Ok(id) = HeaderValue::try_from(self.id()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if last {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let used = Usage { seen, meter: self.settings.meter.clone(), status: response.status(), out: 0 };
        response.map(|inner| Answer { inner, used, _open: open })
    }

    async fn call(&self, request: Request<Incoming>, seen: &Arc<Seen>) -> Response<Body> {
        let (clock, idle) = (Arc::clone(&self.settings.clock), Elapsed::from(self.settings.limits.body_idle_time));
        let pace = |inner| Paced { inner, clock, idle, late: None, seen: Arc::clone(seen) };
        let request = request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::http_body_unsync(pace(body)) });
        let (mut request, verdict) = match documents::verified(request, self.settings.verification) {
            Ok(request) => request,
            Err(error) => return told(error),
        };
        request.extensions_mut().insert(Arc::clone(seen));
        let called = self.s3.call(request).await;
        match (verdict.take(), called) {
            (Some(refused), _) => told(refused),
            // Of what has not changed there are no words.
            (None, Ok(response)) if response.status() == StatusCode::NOT_MODIFIED => response.map(|_| Body::empty()),
            (None, Ok(response)) => response,
            (None, Err(error)) => {
                let cause = StdError::from(error);
                tracing::warn!(error = %cause, "a request of an AWS client failed");
                told(s3_error!(InternalError, "We encountered an internal error. Please try again."))
            }
        }
    }

    fn id(&self) -> String {
        let mut id = [0; 8];
        self.settings.rng.fill(&mut id);
        HEXUPPER.encode(&id)
    }
}

fn told(error: S3Error) -> Response<Body> {
    error.to_http_response().unwrap_or_else(|_| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn with_headers(mut response: Response<Body>, headers: HeaderMap) -> Response<Body> {
    response.headers_mut().extend(headers);
    response
}

/// What comes to be known of a request while it is served.
#[derive(Default)]
pub(crate) struct Seen {
    who: OnceLock<(AppKey, &'static str)>,
    read: AtomicU64,
}

impl Seen {
    /// Its signature holds: it is this app's.
    pub(crate) fn caller(&self, app: AppKey, operation: &'static str) {
        // Asked once a request; a second answer could only be the same.
        let _ = self.who.set((app, operation));
    }
}

/// A client's body, given up if nothing comes of it for too long.
struct Paced {
    inner: Incoming,
    clock: Arc<dyn Clock>,
    idle: Elapsed,
    late: Option<BoxFuture<()>>,
    seen: Arc<Seen>,
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.late = None;
            let read = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, |data| data.len() as u64);
            self.seen.read.fetch_add(read, Ordering::Relaxed);
            return Poll::Ready(frame.map(|frame| frame.map_err(StdError::from)));
        }
        let Self { clock, idle, late, .. } = &mut *self;
        let late = late.get_or_insert_with(|| clock.sleep_until(clock.monotonic_ns().saturating_add(idle.ns())));
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Some(Err("nothing came for too long".into())))
    }
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Tells the meter when it is dropped.
struct Usage {
    seen: Arc<Seen>,
    meter: Option<Arc<dyn Meter>>,
    status: StatusCode,
    out: u64,
}

impl Drop for Usage {
    fn drop(&mut self) {
        if let (Some(meter), Some((app, operation))) = (&self.meter, self.seen.who.get()) {
            let bytes_in = self.seen.read.load(Ordering::Relaxed);
            meter.used(app, &Used { operation, status: self.status.as_u16(), bytes_in, bytes_out: self.out });
        }
    }
}

/// The body of a response, counted as it is taken.
pub(crate) struct Answer {
    inner: Body,
    used: Usage,
    _open: Open,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.used.out += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.inner)
    }
}
