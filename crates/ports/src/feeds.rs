//! Changes of the stores that somebody waits for.

use async_trait::async_trait;
pub use types::event::{Feed, FeedSource};

use crate::StoreError;

/// The list of feeds. A change that a feed wants is written into the feed's queue in the transaction that makes the change, so neither
/// is ever there without the other.
#[async_trait]
pub trait Feeds: Send + Sync {
    /// Replaces the list, durably. Changes from then on go by the new one.
    async fn install(&self, feeds: Vec<Feed>) -> Result<(), StoreError>;
}
