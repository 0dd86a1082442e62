//! Buckets: a fake whose bytes come and go piece by piece, and what guests do with it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use parking_lot::Mutex;
use ports::{
    Body, Objects, StoreError,
    objects::{
        BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectInfo, ObjectPage, ObjectQuery, Part, PutOptions, Upload,
        VersionId,
    },
};
use types::{Timestamp, limits};

use super::{ask, check};
use crate::{
    serving::scene::{Recording, Scene, get, post, send},
    world::loaded,
};

/// Bytes of one piece of an object.
const PIECE: u64 = 10_000;

/// Objects by bucket and name. In the bucket `huge` no bytes are kept: byte n is n mod 251, and a write is checked for that.
#[derive(Default)]
pub(crate) struct FakeObjects {
    kept: Mutex<BTreeMap<(String, String), (u64, Bytes)>>,
    /// How long the store takes over each piece.
    pause: Duration,
}

fn info(key: &str, bytes: u64) -> ObjectInfo {
    ObjectInfo {
        key: key.to_owned(),
        bytes,
        etag: "etag".into(),
        modified: Timestamp::from_unix_ms(1_790_000_000_000),
        version: VersionId("null".into()),
        is_delete_marker: false,
        attributes: ObjectAttributes::default(),
        checksums: Vec::new(),
        parts: Vec::new(),
    }
}

fn pattern(first: u64, count: u64) -> Bytes {
    (first..first + count).map(|at| (at % 251) as u8).collect()
}

impl FakeObjects {
    pub(crate) fn slow() -> Self {
        Self { pause: Duration::from_millis(2), ..Self::default() }
    }

    pub(crate) fn find(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.kept.lock().get(&(bucket.to_owned(), key.to_owned())).map(|(_, bytes)| bytes.clone())
    }

    fn body(&self, whole: &Bytes, is_huge: bool, first: u64, count: u64) -> Body {
        let (whole, pause) = (whole.clone(), self.pause);
        let pieces = futures_util::stream::unfold((first, first + count), move |(at, end)| {
            let whole = whole.clone();
            async move {
                if at == end {
                    return None;
                }
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                let next = (at + PIECE).min(end);
                let piece = if is_huge { pattern(at, next - at) } else { whole.slice(at as usize..next as usize) };
                Some((Ok(http_body::Frame::data(piece)), (next, end)))
            }
        });
        Body::stream(StreamBody::new(Box::pin(pieces)))
    }
}

fn unasked<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("no guest can ask for this".into()))
}

#[async_trait]
impl Objects for FakeObjects {
    async fn create_bucket(&self, _: &BucketName) -> Result<bool, StoreError> {
        Ok(false)
    }
    async fn delete_bucket(&self, _: &BucketName) -> Result<(), StoreError> {
        unasked()
    }
    async fn buckets(&self, prefix: &str) -> Result<Vec<(BucketName, Timestamp)>, StoreError> {
        Ok(vec![(BucketName(prefix.to_owned()), Timestamp::from_unix_ms(1_790_000_000_000))])
    }
    async fn config(&self, _: &BucketName) -> Result<Option<BucketConfig>, StoreError> {
        unasked()
    }
    async fn configure(&self, _: &BucketName, _: BucketConfig) -> Result<(), StoreError> {
        unasked()
    }
    async fn put(&self, bucket: &BucketName, key: &str, mut body: Body, _: PutOptions) -> Result<ObjectInfo, StoreError> {
        match bucket.short() {
            "reading" => return Err(StoreError::Denied("bucket.reading is granted for reading only".into())),
            "full" => {
                let _ = body.frame().await;
                return Err(StoreError::Full);
            }
            _ => {}
        }
        let (mut count, mut bytes) = (0, Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| StoreError::Failed(format!("the body broke off: {error}")))?;
            let Ok(piece) = frame.into_data() else { continue };
            if bucket.short() == "huge" {
                assert!(piece.iter().zip(count..).all(|(byte, at)| u64::from(*byte) == at % 251), "byte {count} or one after it");
            } else {
                bytes.extend_from_slice(&piece);
            }
            count += piece.len() as u64;
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
        }
        self.kept.lock().insert((bucket.short().to_owned(), key.to_owned()), (count, bytes.into()));
        Ok(info(key, count))
    }
    async fn head(&self, bucket: &BucketName, key: &str, _: Option<&VersionId>) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(self.kept.lock().get(&(bucket.short().to_owned(), key.to_owned())).map(|(bytes, _)| info(key, *bytes)))
    }
    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        _: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Option<(ObjectInfo, Body)>, StoreError> {
        let found = self.kept.lock().get(&(bucket.short().to_owned(), key.to_owned())).cloned();
        Ok(found.map(|(bytes, whole)| {
            let (first, count) = range.unwrap_or(ByteRange::From(0)).within(bytes).unwrap_or_default();
            (info(key, bytes), self.body(&whole, bucket.short() == "huge", first, count))
        }))
    }
    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        _: Option<&VersionId>,
        _: Option<types::Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(self.kept.lock().remove(&(bucket.short().to_owned(), key.to_owned())).map(|(bytes, _)| info(key, bytes)))
    }
    async fn copy(
        &self,
        (source, key, _): (&BucketName, &str, Option<&VersionId>),
        (target, name): (&BucketName, &str),
        _: Option<ObjectAttributes>,
        _: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        assert_eq!(source, target, "from one bucket to another the host itself moves the bytes");
        let mut kept = self.kept.lock();
        let found = kept.get(&(source.short().to_owned(), key.to_owned())).cloned();
        Ok(found.map(|found| {
            let bytes = found.0;
            kept.insert((target.short().to_owned(), name.to_owned()), found);
            info(name, bytes)
        }))
    }
    async fn tag(
        &self,
        _: &BucketName,
        _: &str,
        _: Option<&VersionId>,
        _: BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        unasked()
    }
    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError> {
        assert!((1..=limits::BUCKET_PAGE).contains(&query.limit), "a page is bounded");
        let kept = self.kept.lock();
        let after = |key: &str| query.after.as_deref().is_none_or(|after| key > after);
        let mut names = kept.iter().filter(|((of, key), _)| of == bucket.short() && after(key));
        let objects: Vec<_> = names.by_ref().take(query.limit).map(|((_, key), (bytes, _))| info(key, *bytes)).collect();
        let next = names.next().and(objects.last()).map(|last| last.key.clone());
        Ok(ObjectPage { objects, prefixes: Vec::new(), next })
    }
    async fn list_versions(&self, _: &BucketName, _: ObjectQuery, _: Option<&VersionId>) -> Result<ObjectPage, StoreError> {
        unasked()
    }
    async fn begin_upload(&self, _: &BucketName, _: &str, _: ObjectAttributes) -> Result<Upload, StoreError> {
        unasked()
    }
    async fn put_part(&self, _: &BucketName, _: &str, _: u32, _: Body, _: Vec<(String, String)>) -> Result<Part, StoreError> {
        unasked()
    }
    async fn parts(&self, _: &BucketName, _: &str, _: u32, _: usize) -> Result<(Upload, Vec<Part>), StoreError> {
        unasked()
    }
    async fn complete_upload(
        &self,
        _: &BucketName,
        _: &str,
        _: &[(u32, String)],
        _: PutOptions,
    ) -> Result<ObjectInfo, StoreError> {
        unasked()
    }
    async fn abort_upload(&self, _: &BucketName, _: &str) -> Result<(), StoreError> {
        unasked()
    }
    async fn uploads(&self, _: &BucketName, _: &str, _: Option<(&str, &str)>, _: usize) -> Result<Vec<Upload>, StoreError> {
        unasked()
    }
    async fn sweep(&self) -> Result<u64, StoreError> {
        unasked()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_of_blobstore_is_served() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/bucket/exists", 200, "true"),
        ("/bucket/create", 200, "done"),
        ("/bucket/has?key=a", 200, "false"),
        ("/bucket/put?key=a&value=hello+world", 200, "11"),
        ("/bucket/has?key=a", 200, "true"),
        ("/bucket/info?key=a", 200, r#"{"name":"a","bucket":"files","bytes":11}"#),
        ("/bucket/read?key=a", 200, r#""hello world""#),
        ("/bucket/get?key=a&first=6&last=100", 200, "world"),
        ("/bucket/get?key=a&first=6&last=7", 200, "wo"),
        ("/bucket/get?key=a&first=50&last=60", 200, ""),
        ("/bucket/copy?key=a&target=b", 200, "copied"),
        ("/bucket/copy?key=a&to=other&target=c", 200, "copied"),
        ("/bucket/read?bucket=other&key=c", 200, "hello world"),
        ("/bucket/move?key=b&to=other&target=d", 200, "moved"),
        ("/bucket/move?key=a&target=a", 200, "moved"),
        ("/bucket/list", 200, r#"["a"]"#),
        ("/bucket/list?bucket=other", 200, r#"["c","d"]"#),
        ("/bucket/delete?bucket=other&key=c", 200, "deleted"),
        ("/bucket/clear?bucket=other", 200, "cleared"),
        ("/bucket/list?bucket=other", 200, "[]"),
        ("/bucket/read?key=none", 500, "no such object: none"),
        ("/bucket/copy?key=none&target=b", 500, "no such object: none"),
        ("/bucket/info?key=none", 500, "no such object: none"),
        ("/bucket/remove", 500, "the manifest names it"),
    ];
    check(&scene, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_of_buckets_is_denied() {
    let scene = Arc::new(Scene::new());
    let rows = [
        ("/bucket/put?bucket=secret&value=x", 403, "bucket.secret was not granted"),
        ("/bucket/exists?bucket=secret", 403, "bucket.secret was not granted"),
        ("/bucket/create?bucket=secret", 403, "bucket.secret was not granted"),
        ("/bucket/put?bucket=reading&value=x", 403, "granted for reading only"),
        ("/bucket/put?key=a&value=x", 200, "1"),
        ("/bucket/copy?key=a&to=secret", 403, "bucket.secret was not granted"),
        ("/bucket/copy?key=a&to=reading", 403, "granted for reading only"),
    ];
    check(&scene, &rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_gives_up_amid_a_write_says_why() {
    let scene = Arc::new(Scene::new());
    let answered = ask(&scene, "/bucket/fill?bucket=full&bytes=1000000").await;
    assert!(answered.status == 500 && answered.text().contains("the disk is full"), "{answered:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_breaks_off_is_not_written() {
    let scene = Arc::new(Scene::new());
    let answered = ask(&scene, "/bucket/break?key=a&bytes=200000").await;
    assert!(answered.status == 500 && answered.text().contains("the source broke off"), "{answered:#?}");
    assert_eq!(scene.objects.find("files", "a"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_before_a_name_wait_for_it_up_to_a_bound() {
    let scene = Arc::new(Scene::new());
    let rows = [("/bucket/late?key=a&bytes=65000", 200, "65000"), ("/bucket/late?key=b&bytes=70000", 500, "LastOperationFailed")];
    check(&scene, &rows).await;
    assert_eq!(scene.objects.find("files", "a").map(|bytes| bytes.len()), Some(65_000));
    assert_eq!(scene.objects.find("files", "b"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_stream_from_the_request_into_the_bucket() {
    let scene = Arc::new(Scene::new());
    let frames = ["one ", "two ", "three"].map(|text| http_body::Frame::data(Bytes::from_static(text.as_bytes())));
    let answered = send(&loaded("state").await, post("/bucket/put?key=upload", frames.into()), &scene).await;
    assert_eq!((answered.status, answered.text().trim()), (200, "13"), "{answered:#?}");
    assert_eq!(scene.objects.find("files", "upload").as_deref(), Some(&b"one two three"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_listed_page_by_page_and_what_is_too_large_at_once_is_a_stream() {
    let scene = Arc::new(Scene::new());
    for index in 0..600 {
        scene.objects.kept.lock().insert(("files".into(), format!("k{index:03}")), (0, Bytes::new()));
    }
    let text = ask(&scene, "/bucket/list").await.text();
    assert!((0..600).all(|index| text.contains(&format!("\"k{index:03}\""))), "{text}");
    scene.objects.kept.lock().insert(("huge".into(), "object".into()), (limits::OBJECT_AT_ONCE.0 + 1, Bytes::new()));
    check(&scene, &[("/bucket/read?bucket=huge", 500, "read it as a stream")]).await;
}

/// 256 MiB go from one bucket through the guest into another object, and the node's memory does not show it.
#[tokio::test(flavor = "multi_thread")]
async fn large_objects_pass_in_constant_memory() {
    const BYTES: u64 = 256 << 20;
    let (program, scene) = (loaded("state").await, Arc::new(Scene::new()));
    *scene.recording.lock() = Recording::Off;
    send(&program, get("/bucket/fill?bucket=huge&bytes=1000000"), &scene).await;
    scene.objects.kept.lock().insert(("huge".into(), "object".into()), (BYTES, Bytes::new()));
    let before = resident();
    let answered = send(&program, get("/bucket/pipe?bucket=huge&target=again"), &scene).await;
    assert_eq!((answered.status, answered.text().trim()), (200, BYTES.to_string().as_str()), "{answered:#?}");
    let grown = resident().saturating_sub(before);
    assert!(grown < BYTES / 2, "the process grew by {grown} bytes");
    let guest = scene.told.lock().memory_peak.0;
    assert!(guest < 8 << 20, "the guest grew to {guest} bytes");
}

/// The process's resident memory in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel tells it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}
