//! What a new version of the platform makes anew of code that is deployed already, in the background.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Blob, runtime::ArtifactSource};
use types::{Build, Code, Digest, Problem, Snapshot};

use crate::core::Control;

impl Control {
    /// Has the runtime make anew what it can't use of the served scripts as an earlier version left it. Ends when all of it is done.
    ///
    /// # Cancel safety
    /// What is not made yet is made by the first request that needs it.
    pub async fn refresh(&self) {
        let scripts: Vec<Digest> = scripts(&self.publisher.snapshot()).into_iter().collect();
        if !scripts.is_empty() {
            self.runtime.refresh(scripts, Arc::new(Stored(Arc::clone(&self.blob)))).await;
        }
    }
}

/// The code of all functions that are scripts, of every revision that is served.
fn scripts(snapshot: &Snapshot) -> BTreeSet<Digest> {
    let revisions = snapshot.apps.iter().flat_map(|app| &app.shares).map(|(revision, _)| revision);
    let functions = revisions.flat_map(|revision| revision.functions.values());
    functions.filter(|live| live.function.build == Build::Script).map(|live| live.artifact).collect()
}

/// Artifacts as they were uploaded.
struct Stored(Arc<dyn Blob>);

#[async_trait]
impl ArtifactSource for Stored {
    async fn artifact(&self, digest: &Digest) -> Result<Bytes, Problem> {
        let found = self.0.get(digest).await?;
        found.ok_or_else(|| Problem::new(Code::E0301, format!("the artifact {digest} is not stored")))
    }
}
