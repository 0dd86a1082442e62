//! Reading kept journals back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Blob, Telemetry, journal::Journals};
use types::{Code, Digest, InvocationId, Problem, journal::Journal, limits, revision::AppKey, wire::Export};

use super::{
    fold::redacted,
    seal::{self, SealKey},
};
use crate::export;

/// Opens journals that the telemetry store keeps sealed.
pub struct JournalReader {
    telemetry: Arc<dyn Telemetry>,
    blob: Arc<dyn Blob>,
    key: SealKey,
}

impl JournalReader {
    /// A reader of this store's journals with this key; exported components come from the blob store.
    #[must_use]
    pub fn new(telemetry: Arc<dyn Telemetry>, blob: Arc<dyn Blob>, key: SealKey) -> Self {
        Self { telemetry, blob, key }
    }

    /// The journal of one invocation, with all that the function saw.
    ///
    /// # Errors
    /// `E0706` if there is no such invocation, `E0801` if no journal of it was kept, `E0806` if the journal is damaged.
    pub async fn read(&self, id: InvocationId) -> Result<Journal, Problem> {
        let record = self.telemetry.invocation(id).await?;
        let record = record.ok_or_else(|| Problem::new(Code::E0706, format!("there is no invocation {id}")))?;
        let sealed = self.telemetry.journal(id).await?.ok_or_else(|| {
            Problem::new(Code::E0801, format!("no journal of {id} was kept"))
                .note("journals are kept of invocations that trap, run out of time or answer 5xx")
                .help(format!("[fn.{}] record = \"all\"", record.function))
        })?;
        let app = AppKey { app: record.app, env: record.env };
        seal::open(&self.key, &app, id, &sealed.sealed)
    }
}

#[async_trait]
impl Journals for JournalReader {
    async fn shown(&self, id: InvocationId) -> Result<Journal, Problem> {
        self.read(id).await.map(redacted)
    }

    async fn export(&self, id: InvocationId) -> Result<Bytes, Problem> {
        let journal = self.read(id).await?;
        let digest = journal.invoke.artifact;
        let component = self.blob.get(&digest).await?;
        let component = component.ok_or_else(|| gone(&digest))?;
        Ok(export::encode(&Export { journal, digest, component: component.to_vec() }))
    }
}

fn gone(digest: &Digest) -> Problem {
    let problem = Problem::new(Code::E0301, format!("the code {digest} that served the request is gone"));
    problem.note(format!("code is kept with the newest {} revisions of an app", limits::REVISIONS))
}
