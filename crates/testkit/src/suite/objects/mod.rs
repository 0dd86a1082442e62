//! What every store of objects must do.

mod buckets;
mod concurrent;
mod lifecycle;
mod listing;
mod random;
mod ranges;
mod uploads;
mod versions;
mod writing;

use std::{any::Any, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ports::{Body, BodyError, Objects, StoreError};
use types::object::{
    BucketConfig, BucketName, ByteRange, LifecycleRule, ObjectAttributes, ObjectCondition, ObjectInfo, ObjectPage, ObjectQuery,
    PutOptions, VersionId, Versioning,
};

use super::soon;
use crate::{TestClock, rng::seeds};

/// A fresh store of objects with the clock that it was given.
pub struct ObjectsFixture {
    /// The store, or a decorator around one.
    pub objects: Arc<dyn Objects>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Two buckets that the suite may make; a decorator may need certain ones.
    pub buckets: [BucketName; 2],
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl ObjectsFixture {
    /// A fixture that keeps nothing and may use any bucket.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, clock: Arc<TestClock>) -> Self {
        let buckets = [BucketName("shop/dev/first".into()), BucketName("shop/dev/second".into())];
        Self { objects, clock, buckets, keep: Box::new(()) }
    }
    /// Keeps something alive with the store.
    #[must_use]
    pub fn keeping(mut self, keep: impl Any + Send + Sync) -> Self {
        self.keep = Box::new(keep);
        self
    }
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn objects<F: Future<Output = ObjectsFixture>>(make: impl Fn() -> F) {
    macro_rules! run {
        ($($module:ident::$case:ident),* $(,)?) => {$(
            eprintln!("case {}::{}", stringify!($module), stringify!($case));
            let fixture = make().await;
            for bucket in &fixture.buckets {
                fixture.objects.create_bucket(bucket).await.expect("it can be made");
            }
            $module::$case(&fixture).await;
        )*};
    }
    run!(
        buckets::are_made_once_and_listed_by_name,
        buckets::are_only_removed_empty,
        buckets::that_do_not_exist_are_missing,
        buckets::keep_their_settings,
        buckets::share_nothing,
        writing::gives_back_what_was_put,
        writing::says_what_is_known_of_an_object,
        writing::a_body_that_breaks_off_writes_nothing,
        writing::conditions_are_looked_at,
        writing::refuses_what_is_over_a_limit,
        writing::copies_take_all_or_what_is_said_anew,
        writing::tags_change_alone,
        ranges::give_exactly_their_bytes,
        versions::are_kept_when_it_is_said,
        versions::a_delete_marker_hides_and_can_be_removed,
        versions::suspended_ones_share_one_place,
        versions::once_kept_are_never_off_again,
        listing::pages_have_no_gaps,
        listing::groups_stand_for_all_that_share_them,
        listing::prefixes_end_where_they_should,
        listing::deleted_objects_are_not_there,
        listing::versions_are_listed_newest_first,
        uploads::become_an_object_of_their_parts,
        uploads::refuse_parts_that_are_not_there,
        uploads::are_listed_and_aborted,
        uploads::leave_what_is_there_until_they_are_complete,
        lifecycle::objects_expire,
        lifecycle::old_versions_and_lone_markers_go,
        lifecycle::uploads_are_aborted,
        concurrent::one_of_many_is_the_first,
        concurrent::readers_get_whole_objects,
        concurrent::what_is_being_read_stays_readable,
    );
    for seed in seeds(4) {
        let fixture = make().await;
        random::agrees_with_the_model(&fixture, seed).await;
    }
}

/// So many bytes that no two places of look the same.
fn pattern(count: usize, salt: u8) -> Bytes {
    (0..count).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ salt).collect()
}

/// A body that comes in pieces of this size.
fn pieces(bytes: &Bytes, size: usize) -> Body {
    let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    Body::stream(StreamBody::new(stream::iter(pieces)))
}

/// A body that ends in an error after these bytes.
fn breaking(bytes: Bytes) -> Body {
    let frames = [Ok(Frame::data(bytes)), Err(BodyError::Gone)];
    Body::stream(StreamBody::new(stream::iter(frames)))
}

async fn collect(body: Body) -> Result<Bytes, BodyError> {
    body.collect().await.map(http_body_util::Collected::to_bytes)
}

fn tagged(name: &str) -> ObjectAttributes {
    let pair = |value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let (headers, metadata, tags) = (pair("header"), pair("metadata"), pair("tag"));
    ObjectAttributes { content_type: Some(format!("text/{name}")), headers, metadata, tags }
}

fn on(condition: ObjectCondition) -> PutOptions {
    PutOptions { condition, ..PutOptions::default() }
}

fn query(prefix: &str, delimiter: Option<&str>, limit: usize) -> ObjectQuery {
    ObjectQuery { prefix: prefix.into(), delimiter: delimiter.map(Into::into), after: None, limit }
}

// Short forms for the first bucket, for cases that don't care about errors.
impl ObjectsFixture {
    fn bucket(&self) -> &BucketName {
        &self.buckets[0]
    }
    async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> ObjectInfo {
        let body = Body::from(bytes.into());
        self.objects.put(self.bucket(), key, body, PutOptions::default()).await.expect("it can be written")
    }
    async fn head(&self, key: &str, version: Option<&VersionId>) -> Option<ObjectInfo> {
        self.objects.head(self.bucket(), key, version).await.expect("readable")
    }
    async fn read(&self, key: &str, version: Option<&VersionId>, range: Option<ByteRange>) -> Option<Bytes> {
        let (_, body) = self.objects.get(self.bucket(), key, version, range).await.expect("readable")?;
        Some(collect(body).await.expect("the body is whole"))
    }
    async fn bytes(&self, key: &str) -> Option<Bytes> {
        self.read(key, None, None).await
    }
    async fn delete(&self, key: &str, version: Option<&VersionId>) -> Option<ObjectInfo> {
        self.objects.delete(self.bucket(), key, version, None).await.expect("removable")
    }
    async fn list(&self, query: ObjectQuery) -> ObjectPage {
        self.objects.list(self.bucket(), query).await.expect("readable")
    }
    async fn keys(&self) -> Vec<String> {
        let page = self.list(query("", None, 1_000)).await;
        page.objects.into_iter().map(|info| info.key).collect()
    }
    async fn configure(&self, versioning: Versioning, rules: Vec<LifecycleRule>) {
        let config = BucketConfig { versioning, lifecycle: rules, ..BucketConfig::default() };
        self.objects.configure(self.bucket(), config).await.expect("there is the bucket");
    }
    async fn part(&self, upload: &str, number: u32, bytes: Bytes) -> (u32, String) {
        let part = self.objects.put_part(self.bucket(), upload, number, Body::from(bytes), vec![]).await;
        (number, part.expect("there is the upload").etag)
    }
}
