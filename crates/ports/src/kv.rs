//! Key-value stores.

use async_trait::async_trait;
use bytes::Bytes;
use types::kv::{Change, Committed, Entry, Namespace, Transaction, WatchFrom};

use crate::{BoxStream, StoreError};

/// Key-value stores of many namespaces, which share nothing. Keys are arbitrary bytes in byte order.
///
/// Revisions grow in commit order within a namespace. Expired entries are never read, whether or not they were removed yet.
#[async_trait]
pub trait Kv: Send + Sync {
    /// The entry of one key.
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError>;

    /// The entries of many keys, one for each in order, all from one moment.
    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError>;

    /// At most `limit` entries whose keys begin with `prefix` and come after `after`, in key order. Fewer than `limit` means the end.
    async fn list(
        &self,
        namespace: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Checks all conditions, then applies all writes at one revision: all or nothing, durable when it returns.
    ///
    /// # Errors
    /// `TooLarge` by `types::limits`; `Conflict` if the idempotency key came with another transaction before.
    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError>;

    /// Every change of keys that begin with `prefix`, exactly once and in order. The writes of one transaction share their revision
    /// and come together, so that resuming never splits one. Expiry is a `Delete`. Ends only when the store does or after `Compacted`.
    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError>;
}
