//! The catalog in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{Catalog, StoreError, catalog::Deployed};
use types::{
    App, Digest, FunctionName, Timestamp,
    revision::{AppKey, Parts, Revision, RevisionNumber, Share},
};

/// The catalog in a map.
#[derive(Debug, Default)]
pub struct ModelCatalog(Mutex<BTreeMap<AppKey, Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// In the order of their numbers.
    revisions: Vec<Revision>,
    shares: Vec<Share>,
}

impl Kept {
    fn latest(&self) -> Option<RevisionNumber> {
        self.revisions.last().map(|revision| revision.number)
    }
    fn find(&self, number: RevisionNumber) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.number == number)
    }
}

#[async_trait]
impl Catalog for ModelCatalog {
    async fn add(
        &self,
        key: &AppKey,
        after: Option<RevisionNumber>,
        app: App,
        artifacts: BTreeMap<FunctionName, Digest>,
        parts: Parts,
        now: Timestamp,
    ) -> Result<Revision, StoreError> {
        let mut apps = self.0.lock();
        if apps.get(key).and_then(Kept::latest) != after {
            return Err(StoreError::Changed(key.to_string()));
        }
        let number = RevisionNumber(after.map_or(1, |after| after.0 + 1));
        let revision = Revision { number, app, artifacts, parts, created: now };
        apps.entry(key.clone()).or_default().revisions.push(revision.clone());
        Ok(revision)
    }

    async fn serve(&self, key: &AppKey, shares: Vec<Share>) -> Result<(), StoreError> {
        let mut apps = self.0.lock();
        let kept = apps.get_mut(key).ok_or_else(|| StoreError::Missing(key.to_string()))?;
        if let Some(share) = shares.iter().find(|share| kept.find(share.revision).is_none()) {
            return Err(StoreError::Missing(format!("revision {} of {key}", share.revision)));
        }
        kept.shares = shares;
        Ok(())
    }

    async fn apps(&self) -> Result<Vec<Deployed>, StoreError> {
        let deployed = |(key, kept): (&AppKey, &Kept)| {
            let latest = kept.latest()?;
            Some(Deployed { key: key.clone(), latest, shares: kept.shares.clone() })
        };
        Ok(self.0.lock().iter().filter_map(deployed).collect())
    }

    async fn revision(&self, key: &AppKey, number: RevisionNumber) -> Result<Option<Revision>, StoreError> {
        Ok(self.0.lock().get(key).and_then(|kept| kept.find(number)).cloned())
    }

    async fn revisions(&self, key: &AppKey) -> Result<Vec<Revision>, StoreError> {
        Ok(self.0.lock().get(key).map(|kept| kept.revisions.iter().rev().cloned().collect()).unwrap_or_default())
    }

    async fn forget(&self, key: &AppKey, before: RevisionNumber) -> Result<usize, StoreError> {
        let mut apps = self.0.lock();
        let Some(Kept { revisions, shares }) = apps.get_mut(key) else { return Ok(0) };
        let (count, latest) = (revisions.len(), revisions.last().map(|revision| revision.number));
        let stays = |number| Some(number) == latest || shares.iter().any(|share| share.revision == number);
        revisions.retain(|revision| revision.number >= before || stays(revision.number));
        Ok(count - revisions.len())
    }
}
