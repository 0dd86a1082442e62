//! What the control API takes and gives of an app's data: stores, queues, streams, buckets, databases, secrets, schedules and events.
//!
//! Times are RFC 3339 in UTC, durations whole milliseconds with `_ms` in the name.

mod messages;
mod objects;
mod stores;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use self::{messages::*, objects::*, stores::*};
use super::Base64;

/// Bytes as people can read them: text where they are UTF-8, else base 64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// The bytes are this text.
    Text(String),
    /// The bytes in base 64.
    #[schema(value_type = String)]
    Base64(Base64),
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(Base64(bytes)),
        }
    }
}

impl From<Content> for Bytes {
    fn from(content: Content) -> Self {
        match content {
            Content::Text(text) => text.into(),
            Content::Base64(Base64(bytes)) => bytes,
        }
    }
}

/// One resource of an app with how much is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceRow {
    /// Its name.
    pub name: String,
    /// The functions that use it or are started by it.
    pub used_by: Vec<String>,
}

/// Which part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// What names or keys begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Only what comes after this: the last name, key or number of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many: 100 by default, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// How many things were moved or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// How many.
    pub count: u64,
}

/// How many messages at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct AtMost {
    /// At most so many; all of them if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
}
