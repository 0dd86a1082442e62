//! What is deployed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use types::{
    App, Digest, FunctionName, Timestamp,
    revision::{AppKey, Parts, Revision, RevisionNumber, Share},
};

use crate::StoreError;

/// An app as the catalog lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Which app.
    pub key: AppKey,
    /// Its newest revision.
    pub latest: RevisionNumber,
    /// How its traffic is shared; empty when nothing is served.
    pub shares: Vec<Share>,
}

/// Revisions of apps and which of them are served.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Stores a new revision under the next number. `after` is the newest number that the caller knows (none for a new app).
    ///
    /// # Errors
    /// `Changed` if another revision was stored since.
    #[allow(clippy::too_many_arguments, reason = "what a revision is made of, each of a type of its own")]
    async fn add(
        &self,
        key: &AppKey,
        after: Option<RevisionNumber>,
        app: App,
        artifacts: BTreeMap<FunctionName, Digest>,
        parts: Parts,
        now: Timestamp,
    ) -> Result<Revision, StoreError>;

    /// Switches the app's traffic, all at once.
    ///
    /// # Errors
    /// `Missing` if a revision does not exist.
    async fn serve(&self, key: &AppKey, shares: Vec<Share>) -> Result<(), StoreError>;

    /// Every app, by key.
    async fn apps(&self) -> Result<Vec<Deployed>, StoreError>;

    /// One app. Adapters that can look it up do better than this search.
    async fn app(&self, key: &AppKey) -> Result<Option<Deployed>, StoreError> {
        Ok(self.apps().await?.into_iter().find(|deployed| deployed.key == *key))
    }

    /// One revision.
    async fn revision(&self, key: &AppKey, number: RevisionNumber) -> Result<Option<Revision>, StoreError>;

    /// An app's revisions, newest first.
    async fn revisions(&self, key: &AppKey) -> Result<Vec<Revision>, StoreError>;

    /// Forgets an app's revisions before this one; those that are served and the newest one stay. Gives how many are gone.
    async fn forget(&self, key: &AppKey, before: RevisionNumber) -> Result<usize, StoreError>;
}
