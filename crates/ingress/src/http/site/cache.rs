//! The bytes of files that are asked for often.

use std::sync::Arc;

use bytes::Bytes;
use ports::{Blob, StoreError};
use quick_cache::{Weighter, sync::Cache};
use types::{Code, Digest, Problem, limits};

/// Files up to this size are kept; larger ones are read each time, so that one doesn't drive out a thousand.
const KEPT_MAX: u64 = 4 << 20;

/// Bytes by digest, the least used driven out first.
pub(crate) struct SiteCache {
    blob: Arc<dyn Blob>,
    kept: Cache<Digest, Bytes, ByLength>,
}

/// Weighs a file by its bytes, with something for its place.
#[derive(Clone)]
struct ByLength;

impl Weighter<Digest, Bytes> for ByLength {
    fn weight(&self, _: &Digest, bytes: &Bytes) -> u64 {
        bytes.len() as u64 + 128
    }
}

impl SiteCache {
    /// A cache in front of the blobs.
    pub(crate) fn new(blob: Arc<dyn Blob>) -> Self {
        Self { blob, kept: Cache::with_weighter(1_024, limits::SITE_CACHE.0, ByLength) }
    }

    /// The bytes, if they are in memory.
    pub(crate) fn kept(&self, digest: &Digest) -> Option<Bytes> {
        self.kept.get(digest)
    }

    /// The bytes from disk, kept from now on.
    ///
    /// # Errors
    /// What the store says; `E0603` if it has lost them.
    pub(crate) async fn load(&self, digest: &Digest) -> Result<Bytes, Problem> {
        let bytes = self.blob.get(digest).await.map_err(|error: StoreError| Problem::from(error))?;
        let bytes = bytes.ok_or_else(|| Problem::new(Code::E0603, format!("the file {digest} of the site is lost")))?;
        if bytes.len() as u64 <= KEPT_MAX {
            self.kept.insert(*digest, bytes.clone());
        }
        Ok(bytes)
    }
}
