//! Objects on SQLite and files: what all stores of objects do, and what only one on a disk can get wrong.

mod conforms;
mod crashes;
mod damage;
mod events;
mod room;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use ports::{Body, BodyError, Objects, StoreError};
use store_embedded::{EmbeddedStore, Failpoints};
use testkit::TestClock;
use types::object::{BucketName, ObjectInfo, PutOptions};

fn open(dir: &Path, failpoints: Failpoints) -> EmbeddedStore {
    EmbeddedStore::open_with(dir, Arc::new(TestClock::new()), failpoints).expect("the folder opens")
}

fn bucket() -> BucketName {
    BucketName("shop/dev/photos".into())
}

fn pattern(count: usize, salt: u8) -> Bytes {
    (0..count).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ salt).collect()
}

async fn put(objects: &Arc<dyn Objects>, key: &str, bytes: Bytes) -> Result<ObjectInfo, StoreError> {
    objects.put(&bucket(), key, Body::from(bytes), PutOptions::default()).await
}

async fn get(objects: &Arc<dyn Objects>, key: &str) -> Result<Option<Result<Bytes, BodyError>>, StoreError> {
    let Some((_, body)) = objects.get(&bucket(), key, None, None).await? else { return Ok(None) };
    Ok(Some(body.collect().await.map(http_body_util::Collected::to_bytes)))
}

/// The bytes of an object that is there and whole.
async fn bytes(objects: &Arc<dyn Objects>, key: &str) -> Bytes {
    get(objects, key).await.expect("readable").expect("it is there").expect("it is whole")
}

/// The files that hold objects.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(dir.join("objects")).expect("the folder is there");
    let folders = folders.map(|folder| folder.expect("readable").path());
    folders.flat_map(|folder| std::fs::read_dir(folder).expect("readable")).map(|file| file.expect("readable").path()).collect()
}
