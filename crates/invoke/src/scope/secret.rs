//! Secrets: functions read those that they are granted, and the journal has none of them.

use std::sync::Arc;

use ports::secrets::SecretValue;
use types::{
    LiveFunction,
    journal::{Failure, Operation, Reply, SecretRef},
};

use super::live::Pen;
use crate::{engine::Services, journal::mask::Hidden};

/// Reads a secret of the function's app. From then on the journal has something else wherever a call carries the value.
pub(crate) async fn read(
    services: Arc<Services>,
    function: Arc<LiveFunction>,
    pen: Arc<Pen>,
    name: String,
) -> Result<Option<SecretValue>, Failure> {
    let id = pen.call(Operation::Secret { name: name.clone() });
    let result = services.secrets.get(&function.key, &name).await;
    pen.answered(id, &result, |found| {
        Reply::Secret(found.as_ref().map(|(version, SecretValue(value))| SecretRef {
            version: *version,
            bytes: u32::try_from(value.len()).unwrap_or(u32::MAX),
            hash: services.seal_key.digest(&function.key, value),
        }))
    });
    let found = result.map_err(|error| Failure { code: error.code(), message: error.to_string() })?;
    Ok(found.map(|(_, value)| {
        pen.write(|writer| writer.hide(Hidden::new(&name, &value.0)));
        value
    }))
}
