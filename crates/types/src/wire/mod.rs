//! Serialized forms: what crosses a process's border or outlives it. Each has a version, and each version has a golden file.
//!
//! [`view`] holds the JSON that the control API answers and the command line reads.
//!
//! [`api`] is what the control API takes and gives. They describe themselves for OpenAPI, which is why this crate knows `utoipa`.

pub mod api;
pub mod base64;
pub mod data;
pub mod journal;
pub mod query;
pub mod replay;
pub mod usage;

pub use base64::Base64;

pub mod view;

use serde::{Deserialize, Serialize};

use crate::{id::Digest, journal::Journal};

/// The first bytes of an exported invocation.
pub const EXPORT_MAGIC: &[u8; 8] = b"dayflyx1";

/// The first bytes of a script as an artifact: a [`Script`](crate::Script) in postcard follows. No component begins like this.
pub const SCRIPT_MAGIC: &[u8; 8] = b"dayflyj1";

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
