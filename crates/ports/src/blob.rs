//! Content-addressed bytes: artifacts and large bodies.

use async_trait::async_trait;
use bytes::Bytes;
use types::Digest;

use crate::StoreError;

/// Bytes by their blake3 digest. What is read is checked against the digest: damage is an error, never wrong bytes.
#[async_trait]
pub trait Blob: Send + Sync {
    /// Stores the bytes and gives their digest; storing the same bytes again changes nothing. Durable when it returns.
    async fn put(&self, bytes: Bytes) -> Result<Digest, StoreError>;
    /// The bytes, or `None` if they were never stored.
    async fn get(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError>;
    /// Whether they are stored.
    async fn has(&self, digest: &Digest) -> Result<bool, StoreError>;
    /// The digests of all that is stored, in no order.
    async fn list(&self) -> Result<Vec<Digest>, StoreError>;
    /// Removes them; nothing happens if they are not there.
    async fn remove(&self, digest: &Digest) -> Result<(), StoreError>;
}
