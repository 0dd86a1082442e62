//! Secrets and access keys in memory, sealed by nothing.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use ports::{
    AccessKeys, Clock, Rng, Secrets, StoreError,
    secrets::{AccessKey, SecretInfo, SecretValue},
};
use types::{Timestamp, limits, revision::AppKey};

use crate::SeededRng;

type Versions = Vec<(u32, Timestamp, SecretValue)>;

/// Secrets and access keys as a map and a list.
pub struct ModelSecrets {
    clock: Arc<dyn Clock>,
    rng: SeededRng,
    /// The newest version that each name ever had, and the versions that are left.
    secrets: Mutex<BTreeMap<(AppText, String), (u32, Versions)>>,
    keys: Mutex<Vec<AccessKey>>,
}

/// An app's name and environment as text, which has an order.
type AppText = String;

impl ModelSecrets {
    /// Nothing is set.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, rng: SeededRng::new(1), secrets: Mutex::default(), keys: Mutex::default() }
    }

    fn letters(&self, count: usize) -> String {
        let mut bytes = vec![0; count];
        self.rng.fill(&mut bytes);
        bytes.iter().map(|byte| char::from(b'A' + byte % 26)).collect()
    }
}

#[async_trait]
impl Secrets for ModelSecrets {
    async fn set(&self, app: &AppKey, name: &str, value: SecretValue) -> Result<u32, StoreError> {
        let (measured, allowed) = (value.0.len() as u64, limits::SECRET.0);
        if measured > allowed {
            return Err(StoreError::TooLarge { what: "secret", measured, allowed });
        }
        let mut secrets = self.secrets.lock();
        let (newest, versions) = secrets.entry((app.to_string(), name.to_owned())).or_default();
        *newest += 1;
        versions.push((*newest, self.clock.now(), value));
        if versions.len() > limits::SECRET_VERSIONS as usize {
            versions.remove(0);
        }
        Ok(*newest)
    }

    async fn get(&self, app: &AppKey, name: &str) -> Result<Option<(u32, SecretValue)>, StoreError> {
        let secrets = self.secrets.lock();
        let found = secrets.get(&(app.to_string(), name.to_owned())).and_then(|(_, versions)| versions.last());
        Ok(found.map(|(version, _, value)| (*version, value.clone())))
    }

    async fn list(&self, app: &AppKey) -> Result<Vec<SecretInfo>, StoreError> {
        let secrets = self.secrets.lock();
        let of_app = secrets.iter().filter(|((of, _), _)| *of == app.to_string());
        let infos = of_app.filter_map(|((_, name), (_, versions))| {
            versions.last().map(|(version, set, _)| SecretInfo { name: name.clone(), version: *version, set: *set })
        });
        Ok(infos.collect())
    }

    async fn rewrap(&self) -> Result<u64, StoreError> {
        let versions: usize = self.secrets.lock().values().map(|(_, versions)| versions.len()).sum();
        Ok((versions + self.keys.lock().len()) as u64)
    }

    async fn remove(&self, app: &AppKey, name: &str) -> Result<(), StoreError> {
        if let Some((_, versions)) = self.secrets.lock().get_mut(&(app.to_string(), name.to_owned())) {
            versions.clear();
        }
        Ok(())
    }
}

#[async_trait]
impl AccessKeys for ModelSecrets {
    async fn issue(&self, app: &AppKey, read_only: bool) -> Result<AccessKey, StoreError> {
        let (id, secret) = (format!("DFLY{}", self.letters(16)), SecretValue(self.letters(40).into_bytes()));
        let key = AccessKey { id, secret, app: app.clone(), read_only, issued: self.clock.now() };
        self.keys.lock().push(key.clone());
        Ok(key)
    }
    async fn find(&self, id: &str) -> Result<Option<AccessKey>, StoreError> {
        Ok(self.keys.lock().iter().find(|key| key.id == id).cloned())
    }
    async fn list(&self, app: &AppKey) -> Result<Vec<AccessKey>, StoreError> {
        Ok(self.keys.lock().iter().filter(|key| key.app == *app).cloned().collect())
    }
    async fn revoke(&self, id: &str) -> Result<bool, StoreError> {
        let mut keys = self.keys.lock();
        let before = keys.len();
        keys.retain(|key| key.id != id);
        Ok(keys.len() < before)
    }
}
