//! Blobs in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use ports::{Blob, StoreError};
use types::Digest;

/// Blobs in a map.
#[derive(Debug, Default)]
pub struct ModelBlob(Mutex<BTreeMap<Digest, Bytes>>);

#[async_trait]
impl Blob for ModelBlob {
    async fn put(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::from_bytes(*blake3::hash(&bytes).as_bytes());
        self.0.lock().insert(digest, bytes);
        Ok(digest)
    }
    async fn get(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.lock().get(digest).cloned())
    }
    async fn has(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.0.lock().contains_key(digest))
    }
    async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(self.0.lock().keys().copied().collect())
    }
    async fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        self.0.lock().remove(digest);
        Ok(())
    }
}
