//! Where AWS clients connect, and links to objects.

use std::time::Duration;

use async_trait::async_trait;
use types::{AppKey, Problem, Timestamp};

/// A link to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWanted {
    /// The bucket's name within its app.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// `GET` or `PUT`.
    pub method: String,
    /// How long it holds.
    pub lasts: Duration,
}

/// The endpoint that AWS clients speak to.
#[async_trait]
pub trait AwsEndpoint: Send + Sync {
    /// Its address: `http://127.0.0.1:4566`.
    fn url(&self) -> String;
    /// A link with which whoever has it may do one thing to one object, and until when.
    async fn link(&self, app: &AppKey, wanted: &LinkWanted) -> Result<(String, Timestamp), Problem>;
}
