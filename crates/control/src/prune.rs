//! What no revision needs any more is removed: old revisions, then the artifacts, files of sites and compiled code that none names.
//!
//! A client asks what the node lacks, uploads that, and deploys. In between no revision names what was uploaded. So what anybody asked about
//! stays until the second prune after that, and while one deploys nothing is removed at all.

use std::collections::BTreeSet;

use ports::{Blob, StoreError, catalog::Deployed};
use tokio::sync::Mutex;
use types::{Digest, Problem, Revision, RevisionNumber, limits};

use crate::core::Control;

/// The digests that clients asked about: since the last prune, and between that and the one before.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Turns>);

#[derive(Default)]
struct Turns {
    now: BTreeSet<Digest>,
    before: BTreeSet<Digest>,
    /// Whether there was a prune before.
    is_begun: bool,
}

/// What a prune removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Revisions.
    pub revisions: usize,
    /// Artifacts, and files of sites.
    pub blobs: usize,
}

impl Asked {
    /// Whether the bytes are stored. If they are, the one who asks can count on them.
    pub(crate) async fn is_stored(&self, blob: &dyn Blob, digest: &Digest) -> Result<bool, StoreError> {
        let mut turns = self.0.lock().await;
        turns.now.insert(*digest);
        blob.has(digest).await
    }

    /// Begins a prune: what was asked about before the last one counts no more. False if there is nothing to do: the last one left nothing for
    /// this one, and nobody has asked since.
    async fn turn(&self) -> bool {
        let mut turns = self.0.lock().await;
        let is_idle = turns.is_begun && turns.now.is_empty() && turns.before.is_empty();
        turns.before = std::mem::take(&mut turns.now);
        turns.is_begun = true;
        !is_idle
    }

    /// All that stays because somebody asked about it.
    async fn all(&self) -> BTreeSet<Digest> {
        let turns = self.0.lock().await;
        turns.now.union(&turns.before).copied().collect()
    }

    /// Removes the bytes unless somebody asked about them. Nobody can ask in between.
    async fn remove(&self, blob: &dyn Blob, digest: &Digest) -> Result<bool, StoreError> {
        let turns = self.0.lock().await;
        let goes = !turns.now.contains(digest) && !turns.before.contains(digest);
        if goes {
            blob.remove(digest).await?;
        }
        Ok(goes)
    }
}

impl Control {
    /// Forgets all but the newest `limits::REVISIONS` revisions of each app and those that are served, and removes what no revision names then.
    /// Does nothing while somebody deploys. Meant to be called from time to time.
    ///
    /// # Errors
    /// `E06` if the stores can't be read: then nothing that a revision may name was removed.
    pub async fn prune(&self) -> Result<Pruned, Problem> {
        let Ok(_alone) = self.deploying.try_write() else { return Ok(Pruned::default()) };
        if !self.asked.turn().await {
            return Ok(Pruned::default());
        }
        let revisions = self.forget_old().await?;
        let mut kept = self.named().await?;
        let mut blobs = 0;
        for digest in self.blob.list().await? {
            if !kept.contains(&digest) && self.asked.remove(&*self.blob, &digest).await? {
                blobs += 1;
            }
        }
        kept.append(&mut self.asked.all().await);
        self.runtime.retain(kept).await;
        if revisions + blobs > 0 {
            tracing::info!(revisions, blobs, "what no kept revision needs was removed");
        }
        Ok(Pruned { revisions, blobs })
    }

    /// Nobody can go back to one of them in this moment: the caller holds `deploying` alone.
    async fn forget_old(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for deployed in self.catalog.apps().await? {
            count += self.catalog.forget(&deployed.key, oldest(&deployed)).await?;
        }
        Ok(count)
    }

    /// Everything that a kept revision names.
    async fn named(&self) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = BTreeSet::new();
        for deployed in self.catalog.apps().await? {
            let served = deployed.shares.iter().map(|share| share.revision);
            let numbers = (oldest(&deployed).0..=deployed.latest.0).map(RevisionNumber).chain(served);
            for number in numbers.collect::<BTreeSet<_>>() {
                // One at a time: an app may have many functions.
                if let Some(revision) = self.catalog.revision(&deployed.key, number).await? {
                    self.name(&revision, &mut named).await?;
                }
            }
        }
        Ok(named)
    }

    async fn name(&self, revision: &Revision, named: &mut BTreeSet<Digest>) -> Result<(), StoreError> {
        named.extend(revision.artifacts.values());
        let is_new = revision.parts.site.is_some_and(|index| named.insert(index));
        if is_new && let Some(site) = self.site_of(revision).await? {
            for file in site.files.values() {
                named.insert(file.digest);
                named.extend(file.variants.iter().map(|variant| variant.digest));
            }
        }
        Ok(())
    }
}

/// The oldest revision that is kept though it is not served.
fn oldest(deployed: &Deployed) -> RevisionNumber {
    let newer = u32::try_from(limits::REVISIONS).unwrap_or(u32::MAX) - 1;
    RevisionNumber(deployed.latest.0.saturating_sub(newer).max(1))
}
