//! Serialized forms that outlive one process: each has a version, and each version has a golden file.

use serde::{Deserialize, Serialize};

use crate::{id::Digest, journal::Journal};

/// The first bytes of an exported invocation.
pub const EXPORT_MAGIC: &[u8; 8] = b"dayflyx1";

/// A recorded invocation with everything that a replay needs, as one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// The journal.
    pub journal: Journal,
    /// The digest that `component` must have.
    pub digest: Digest,
    /// The component as it was uploaded.
    pub component: Vec<u8>,
}
