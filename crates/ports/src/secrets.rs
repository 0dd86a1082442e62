//! Secrets, sealed at rest.

use async_trait::async_trait;
use types::{Timestamp, revision::AppKey};

use crate::StoreError;

/// A secret's value. It prints as its length and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(pub Vec<u8>);

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretValue({} bytes)", self.0.len())
    }
}

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// Its version, from 1.
    pub version: u32,
    /// When this version was set.
    pub set: Timestamp,
}

/// Secrets of apps.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Sets a new version; gives its number.
    async fn set(&self, app: &AppKey, name: &str, value: SecretValue) -> Result<u32, StoreError>;
    /// The newest version with its number.
    async fn get(&self, app: &AppKey, name: &str) -> Result<Option<(u32, SecretValue)>, StoreError>;
    /// What is there, by name.
    async fn list(&self, app: &AppKey) -> Result<Vec<SecretInfo>, StoreError>;
    /// Removes all versions.
    async fn remove(&self, app: &AppKey, name: &str) -> Result<(), StoreError>;
}
