//! Buckets.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObjectRow {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its entity tag.
    pub etag: String,
    /// When it was written.
    pub modified: String,
    /// Its media type.
    pub content_type: Option<String>,
}

/// A page of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ObjectRows {
    /// Objects by key.
    pub objects: Vec<ObjectRow>,
    /// What stands for all keys that share it up to the delimiter.
    pub prefixes: Vec<String>,
    /// What the next page comes after; none at the end.
    pub next: Option<String>,
}

/// Which objects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectRange {
    /// What keys begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What keys are grouped by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Only what comes after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many: 1,000 by default and at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectKey {
    /// Its key.
    pub key: String,
}

/// A link to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presign {
    /// The object's key.
    pub key: String,
    /// `GET` to read it or `PUT` to write it.
    pub method: String,
    /// How long the link holds, in seconds: at most seven days.
    pub expires_secs: u64,
}

/// A link that holds for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presigned {
    /// The link.
    pub url: String,
    /// Until when it holds.
    pub until: String,
}
