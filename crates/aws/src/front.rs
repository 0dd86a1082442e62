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
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
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
    auth::{Caller, Keys, Names},
    cors::Asked,
    host::{self, Hosts},
    origins::Origins,
    s3::Api,
    settings::{Settings, Used},
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
        let asked = Asked::read(&head.method, &head.headers);
        let bucket = asked.as_ref().and_then(|_| host::bucket(&head));
        let mut response = if let Some(error) = signed::refusal(&head, self.settings.clock.now()) {
            self.told(error)
        } else if head.method == Method::OPTIONS {
            match self.origins.preflight(&head, asked.as_ref(), bucket.as_deref()).await {
                Ok(headers) => {
                    let mut response = Response::new(Body::empty());
                    *response.headers_mut() = headers;
                    response
                }
                Err(error) => self.told(error),
            }
        } else {
            let (method, headers) = (head.method.clone(), head.headers.clone());
            let response = self.call(Request::from_parts(head, body), &seen).await;
            let asked = Asked::read(&method, &headers);
            self.with_origin(response, asked.as_ref(), (&method, bucket.as_deref()), &seen).await
        };
        if let Ok(id) = HeaderValue::try_from(self.id()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let used = Usage { seen, settings: self.settings.clone(), status: response.status(), out: 0 };
        response.map(|inner| Answer { inner, used, _open: open })
    }

    async fn call(&self, request: Request<Incoming>, seen: &Arc<Seen>) -> Response<Body> {
        let (clock, idle) = (Arc::clone(&self.settings.clock), Elapsed::from(self.settings.limits.body_idle_time));
        let pace = |inner| Paced { inner, clock, idle, late: None, seen: Arc::clone(seen) };
        let mut request =
            request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::http_body_unsync(pace(body)) });
        request.extensions_mut().insert(Arc::clone(seen));
        match self.s3.call(request).await {
            // Of what has not changed there are no words.
            Ok(response) if response.status() == StatusCode::NOT_MODIFIED => response.map(|_| Body::empty()),
            Ok(response) => response,
            Err(error) => {
                let cause = StdError::from(error);
                tracing::warn!(error = %cause, "a request of an AWS client failed");
                self.told(s3_error!(InternalError, "We encountered an internal error. Please try again."))
            }
        }
    }

    /// Tells the browser of a page of another origin that it may see the response, if it may.
    async fn with_origin(
        &self,
        mut response: Response<Body>,
        asked: Option<&Asked<'_>>,
        (method, bucket): (&Method, Option<&str>),
        seen: &Seen,
    ) -> Response<Body> {
        if let (Some(asked), Some(bucket), Some((app, _))) = (asked, bucket, seen.who.get()) {
            let bucket = Caller { app: app.clone() }.bucket(bucket);
            let rules = self.origins.rules(&bucket).await;
            if let Some(headers) = asked.answer(&rules, method) {
                response.headers_mut().extend(headers);
            }
        }
        response
    }

    fn told(&self, error: S3Error) -> Response<Body> {
        error.to_http_response().unwrap_or_else(|_| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }

    fn id(&self) -> String {
        let mut id = [0; 8];
        self.settings.rng.fill(&mut id);
        HEXUPPER.encode(&id)
    }
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
    settings: Settings,
    status: StatusCode,
    out: u64,
}

impl Drop for Usage {
    fn drop(&mut self) {
        if let (Some(meter), Some((app, operation))) = (&self.settings.meter, self.seen.who.get()) {
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
