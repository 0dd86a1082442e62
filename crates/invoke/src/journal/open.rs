//! Reading kept journals back.

use std::sync::Arc;

use ports::Telemetry;
use types::{Code, InvocationId, Problem, journal::Journal, revision::AppKey};

use super::seal::{self, SealKey};

/// Opens journals that the telemetry store keeps sealed.
pub struct JournalReader {
    telemetry: Arc<dyn Telemetry>,
    key: SealKey,
}

impl JournalReader {
    /// A reader of this store's journals with this key.
    #[must_use]
    pub fn new(telemetry: Arc<dyn Telemetry>, key: SealKey) -> Self {
        Self { telemetry, key }
    }

    /// The journal of one invocation.
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
