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
    /// Sets a new version; gives its number. Numbers go on after a removal: a version names one value for ever.
    async fn set(&self, app: &AppKey, name: &str, value: SecretValue) -> Result<u32, StoreError>;
    /// The newest version with its number.
    async fn get(&self, app: &AppKey, name: &str) -> Result<Option<(u32, SecretValue)>, StoreError>;
    /// What is there, by name.
    async fn list(&self, app: &AppKey) -> Result<Vec<SecretInfo>, StoreError>;
    /// Seals every secret and access key under a new key of the platform; gives how many. Values and versions stay as they are.
    async fn rewrap(&self) -> Result<u64, StoreError>;
    /// Removes all versions; nothing happens if there are none.
    async fn remove(&self, app: &AppKey, name: &str) -> Result<(), StoreError>;
}

/// A pair of keys with which AWS clients sign their requests, issued for one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// What a request names: 20 characters.
    pub id: String,
    /// What it is signed with.
    pub secret: SecretValue,
    /// The app whose resources it opens.
    pub app: AppKey,
    /// Whether it may change anything.
    pub read_only: bool,
    /// When it was issued.
    pub issued: Timestamp,
}

/// The keys that were issued, sealed at rest.
#[async_trait]
pub trait AccessKeys: Send + Sync {
    /// Issues a new pair.
    async fn issue(&self, app: &AppKey, read_only: bool) -> Result<AccessKey, StoreError>;
    /// The pair of this id. Called for every signed request: answers from memory.
    async fn find(&self, id: &str) -> Result<Option<AccessKey>, StoreError>;
    /// The app's pairs, oldest first.
    async fn list(&self, app: &AppKey) -> Result<Vec<AccessKey>, StoreError>;
    /// Ends a pair; gives whether there was one.
    async fn revoke(&self, id: &str) -> Result<bool, StoreError>;
}
