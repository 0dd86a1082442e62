//! Secrets of apps and the keys that AWS clients sign with, sealed at rest.
//!
//! `secrets.sqlite` holds sealed values ([`vault`]), `secrets.key` beside it the platform's key ([`ring`]). Each value has a key of its
//! own, wrapped by its app's key, which the platform's key wraps ([`seal`]): a new key of the platform is a matter of wrapping keys anew.

mod ring;
mod seal;
mod vault;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use ports::{
    AccessKeys, Clock, Secrets, StoreError,
    secrets::{AccessKey, SecretInfo, SecretValue},
};
use types::{limits, revision::AppKey};

use crate::{
    failpoint::{Failpoints, Point},
    folder::Folder,
    sqlite::{self, Schema, failure},
    stop::Stop,
};
use ring::Ring;
use vault::Vault;

const SCHEMA: Schema = Schema { version: 1, sql: include_str!("schema.sql") };

/// The secrets and access keys of one node.
pub(crate) struct SecretStore(Arc<Inner>);

struct Inner {
    vault: Mutex<Vault>,
    /// All pairs of keys by their id, as they were issued: requests are checked without the file.
    pairs: RwLock<BTreeMap<String, AccessKey>>,
    clock: Arc<dyn Clock>,
    stop: Stop,
    _folder: Arc<Folder>,
}

impl SecretStore {
    /// Opens the file and the key; makes both if they are new, and ends a change of keys that was broken off.
    ///
    /// # Errors
    /// `Failed` if the key is missing or is not the one that sealed, `Damaged` if it can't be read.
    pub(crate) fn open(
        folder: Arc<Folder>,
        clock: Arc<dyn Clock>,
        stop: Stop,
        failpoints: Failpoints,
    ) -> Result<Self, StoreError> {
        let connection = sqlite::open_writer(&folder.secrets(), &SCHEMA)?;
        // What was removed is overwritten, also when it was sealed.
        connection.pragma_update(None, "secure_delete", true).map_err(|error| failure(&error))?;
        let is_used = connection.prepare("SELECT 1 FROM app_key").and_then(|mut query| query.exists([]));
        let is_used = is_used.map_err(|error| failure(&error))?;
        let ring = match Ring::read(&folder.secrets_key())? {
            Some(ring) => ring,
            None if is_used => {
                let text = "secrets.key is missing, and there are secrets sealed with it: put the file back";
                return Err(StoreError::Failed(text.into()));
            }
            None => Ring::create(&folder.secrets_key())?,
        };
        let mut vault = Vault { connection, ring, stop: stop.clone(), failpoints };
        vault.check()?;
        if vault.ring.has_old() {
            vault.rewrap()?;
        }
        let pairs = vault.pairs()?.into_iter().map(|pair| (pair.id.clone(), pair)).collect();
        Ok(Self(Arc::new(Inner { vault: Mutex::new(vault), pairs: RwLock::new(pairs), clock, stop, _folder: folder })))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &mut Vault) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.stop.check()?;
        let inner = self.0.clone();
        let task = tokio::task::spawn_blocking(move || work(&inner, &mut inner.vault.lock()));
        task.await.unwrap_or_else(|error| Err(StoreError::Ambiguous(format!("a task on secrets did not finish: {error}"))))
    }
}

fn check(what: &'static str, measured: usize, allowed: types::ByteCount) -> Result<(), StoreError> {
    let (measured, allowed) = (measured as u64, allowed.0);
    if measured > allowed { Err(StoreError::TooLarge { what, measured, allowed }) } else { Ok(()) }
}

#[async_trait]
impl Secrets for SecretStore {
    async fn set(&self, app: &AppKey, name: &str, value: SecretValue) -> Result<u32, StoreError> {
        check("key", name.len(), limits::KV_KEY)?;
        check("secret", value.0.len(), limits::SECRET)?;
        let (app, name) = (app.clone(), name.to_owned());
        self.run(move |inner, vault| {
            let value = value;
            let version = vault.set(&app, &name, &value, inner.clock.now());
            drop(zeroize::Zeroizing::new(value.0));
            version
        })
        .await
    }

    async fn get(&self, app: &AppKey, name: &str) -> Result<Option<(u32, SecretValue)>, StoreError> {
        let (app, name) = (app.clone(), name.to_owned());
        self.run(move |_, vault| vault.get(&app, &name)).await
    }

    async fn list(&self, app: &AppKey) -> Result<Vec<SecretInfo>, StoreError> {
        let app = app.clone();
        self.run(move |_, vault| vault.list(&app)).await
    }

    async fn rewrap(&self) -> Result<u64, StoreError> {
        self.run(|_, vault| {
            vault.ring.add()?;
            vault.failpoints.pass(Point::SecretsKeyAdded);
            vault.rewrap()
        })
        .await
    }

    async fn remove(&self, app: &AppKey, name: &str) -> Result<(), StoreError> {
        let (app, name) = (app.clone(), name.to_owned());
        self.run(move |_, vault| vault.remove(&app, &name)).await
    }
}

#[async_trait]
impl AccessKeys for SecretStore {
    async fn issue(&self, app: &AppKey, read_only: bool) -> Result<AccessKey, StoreError> {
        let app = app.clone();
        self.run(move |inner, vault| {
            let pair = vault.issue(&app, read_only, inner.clock.now())?;
            inner.pairs.write().insert(pair.id.clone(), pair.clone());
            Ok(pair)
        })
        .await
    }

    async fn find(&self, id: &str) -> Result<Option<AccessKey>, StoreError> {
        self.0.stop.check()?;
        Ok(self.0.pairs.read().get(id).cloned())
    }

    async fn list(&self, app: &AppKey) -> Result<Vec<AccessKey>, StoreError> {
        let app = app.clone();
        let pairs = self.run(|_, vault| vault.pairs()).await?;
        Ok(pairs.into_iter().filter(|pair| pair.app == app).collect())
    }

    async fn revoke(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.run(move |inner, vault| {
            // Out of memory first: from the moment of the call it opens nothing, whatever becomes of the file.
            let pair = inner.pairs.write().remove(&id);
            vault.revoke(&id).inspect_err(|_| {
                if let Some(pair) = pair {
                    inner.pairs.write().insert(id.clone(), pair);
                }
            })
        })
        .await
    }
}
