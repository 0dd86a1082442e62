//! The rules for pages of other origins, found for requests that bring no signature: a browser asks before it sends one.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method, header::ORIGIN, request::Parts};
use parking_lot::Mutex;
use ports::{AccessKeys, Clock, Objects, objects::BucketName};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use types::{AppKey, Elapsed, object::CorsRule};

use crate::{auth::Caller, cors::Asked, encoding::query_value, host};

/// For how long the list of all buckets is used again: nobody needs a key to ask, so that asking must cost little.
const LIST_TIME: Duration = Duration::from_secs(5);

/// Finds the rules of buckets.
pub(crate) struct Origins {
    objects: Arc<dyn Objects>,
    access_keys: Arc<dyn AccessKeys>,
    clock: Arc<dyn Clock>,
    all: Mutex<Option<(u64, Arc<Vec<BucketName>>)>>,
}

impl Origins {
    pub(crate) fn new(objects: Arc<dyn Objects>, access_keys: Arc<dyn AccessKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { objects, access_keys, clock, all: Mutex::new(None) }
    }

    /// The rules of a bucket; none if they can't be read.
    async fn rules(&self, bucket: &BucketName) -> Vec<CorsRule> {
        self.objects.config(bucket).await.ok().flatten().map(|config| config.cors).unwrap_or_default()
    }

    /// What a browser is told of a page that has sent a request of this app, if its bucket lets the page in.
    pub(crate) async fn told(&self, page: &Page, app: &AppKey) -> HeaderMap {
        let rules = self.rules(&Caller { app: app.clone() }.bucket(&page.bucket)).await;
        let asked = Asked::read(&page.method, &page.headers);
        asked.and_then(|asked| asked.answer(&rules, &page.method)).unwrap_or_default()
    }

    /// Answers a browser that asks before it sends.
    pub(crate) async fn preflight(&self, head: &Parts, asked: Option<&Asked<'_>>, bucket: Option<&str>) -> S3Result<HeaderMap> {
        let asked = asked.ok_or_else(|| s3_error!(InvalidRequest, "Insufficient information. Origin request header needed."))?;
        let bucket = bucket.ok_or_else(forbidden)?;
        for bucket in self.meant(head, bucket).await {
            if let Some(headers) = asked.answer(&self.rules(&bucket).await, &Method::OPTIONS) {
                return Ok(headers);
            }
        }
        Err(forbidden())
    }

    /// The buckets that a name may mean. A link says whose it is; of other requests the signature comes later, so that the buckets of
    /// all apps with this name are asked. What is let in here still has to sign.
    async fn meant(&self, head: &Parts, name: &str) -> Vec<BucketName> {
        let credential = query_value(head.uri.query().unwrap_or_default(), "X-Amz-Credential");
        if let Some(id) = credential.as_deref().and_then(|credential| credential.split('/').next()) {
            let key = self.access_keys.find(id).await.ok().flatten();
            return key.map(|key| Caller { app: key.app }.bucket(name)).into_iter().collect();
        }
        self.every_bucket().await.iter().filter(|bucket| bucket.short() == name).cloned().collect()
    }

    async fn every_bucket(&self) -> Arc<Vec<BucketName>> {
        let now = self.clock.monotonic_ns();
        if let Some((until, all)) = &*self.all.lock()
            && now < *until
        {
            return Arc::clone(all);
        }
        let all = self.objects.buckets("").await.unwrap_or_default().into_iter().map(|(bucket, _)| bucket);
        let all: Arc<Vec<_>> = Arc::new(all.collect());
        *self.all.lock() = Some((now.saturating_add(Elapsed::from(LIST_TIME).ns()), Arc::clone(&all)));
        all
    }
}

/// A request of a page of another origin, remembered until its signature was looked at.
pub(crate) struct Page {
    method: Method,
    headers: HeaderMap,
    bucket: String,
}

impl Page {
    /// The page that a request comes from, if it says so.
    pub(crate) fn of(head: &Parts) -> Option<Self> {
        head.headers.contains_key(ORIGIN).then(|| host::bucket(head))?.map(|bucket| Self {
            method: head.method.clone(),
            headers: head.headers.clone(),
            bucket,
        })
    }
}

fn forbidden() -> S3Error {
    let mut error = S3Error::with_message(
        S3ErrorCode::Custom("AccessForbidden".into()),
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / \
         Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    );
    error.set_status_code(http::StatusCode::FORBIDDEN);
    error
}
