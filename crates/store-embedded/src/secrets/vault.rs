//! The file: what is sealed under what. Platform's key → a key for each app → a key for each value.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use ports::{
    StoreError,
    secrets::{AccessKey, SecretInfo, SecretValue},
};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};
use types::{Timestamp, limits, revision::AppKey};
use zeroize::Zeroizing;

use super::{
    ring::Ring,
    seal::{self, Key},
};
use crate::{
    failpoint::{Failpoints, Passed, Point},
    sqlite::{failure, int, uint},
    stop::Stop,
};

/// The open file with the keys.
pub(super) struct Vault {
    pub(super) connection: Connection,
    pub(super) ring: Ring,
    pub(super) stop: Stop,
    pub(super) failpoints: Failpoints,
}

/// An app's key, unwrapped.
struct AppSealer {
    key: Key,
    id: String,
}

type Opened = Zeroizing<Vec<u8>>;

fn broken(error: rusqlite::Error) -> StoreError {
    failure(&error)
}

/// What a sealed text belongs to: the parts with their lengths, so that none runs into another.
fn belongs(parts: &[&str]) -> Vec<u8> {
    postcard::to_stdvec(parts).expect("plain data in memory always serializes")
}

impl Vault {
    /// Refuses if the file was sealed with keys that are not in the ring.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let mut query = self.connection.prepare("SELECT app, env, kek FROM app_key").map_err(broken)?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(broken)?;
        for row in rows {
            let (app, env, kek): (String, String, String) = row.map_err(broken)?;
            if self.ring.find(&kek).is_none() {
                let held = self.ring.ids().join(", ");
                return Err(StoreError::Failed(format!(
                    "secrets.key holds the key {held}, and the secrets of {app}/{env} are sealed with {kek}: put back the file that belongs to this data folder"
                )));
            }
        }
        Ok(())
    }

    /// Runs the function in a transaction that is durable when this returns `Ok`.
    fn write<T>(&mut self, write: impl FnOnce(&Self, &Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(broken)?;
        let value = write(self, &transaction)?;
        let committed = match self.failpoints.pass(Point::SecretsBeforeCommit) {
            Passed::Fail => Err("a failpoint failed the commit".to_owned()),
            Passed::On | Passed::Skip => match transaction.commit() {
                Err(error) if failure_is_full(&error) => return Err(StoreError::Full),
                outcome => outcome.map_err(|error| format!("COMMIT failed: {error}")),
            },
        };
        self.failpoints.pass(Point::SecretsAfterCommit);
        committed.map(|()| value).map_err(|text| {
            self.stop.stop(&text);
            StoreError::Ambiguous(text)
        })
    }

    /// The app's key, if it has one.
    fn sealer(&self, connection: &Connection, app: &AppKey) -> Result<Option<AppSealer>, StoreError> {
        let mut query =
            connection.prepare_cached("SELECT id, kek, wrapped FROM app_key WHERE app = ?1 AND env = ?2").map_err(broken)?;
        let found: Option<(String, String, Vec<u8>)> = query
            .query_one(params![app.app.as_str(), app.env.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(broken)?;
        let Some((id, kek, wrapped)) = found else { return Ok(None) };
        let kek = self.ring.find(&kek).ok_or_else(|| StoreError::Failed(format!("secrets.key does not hold the key {kek}")))?;
        let key = kek.open(&belongs(&["app", &app.to_string(), &id, &kek.id()]), &wrapped);
        let key = key.and_then(|key| Key::from_slice(&key)).ok_or_else(|| changed(&format!("the key of {app}")))?;
        Ok(Some(AppSealer { key, id }))
    }

    /// The same, making one.
    fn sealer_or_new(&self, connection: &Connection, app: &AppKey) -> Result<AppSealer, StoreError> {
        match self.sealer(connection, app)? {
            Some(sealer) => Ok(sealer),
            None => self.new_sealer(connection, app),
        }
    }

    fn new_sealer(&self, connection: &Connection, app: &AppKey) -> Result<AppSealer, StoreError> {
        let (key, mut id) = (Key::random()?, [0; 8]);
        seal::fill(&mut id)?;
        let (id, kek) = (HEXLOWER.encode(&id), self.ring.newest());
        let wrapped = kek.seal(&belongs(&["app", &app.to_string(), &id, &kek.id()]), key.bytes())?;
        connection
            .execute(
                "INSERT OR REPLACE INTO app_key (app, env, id, kek, wrapped) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![app.app.as_str(), app.env.as_str(), id, kek.id(), wrapped],
            )
            .map_err(broken)?;
        Ok(AppSealer { key, id })
    }

    /// Seals a value with a new key of its own; gives that key wrapped, and the value.
    fn seal(&self, sealer: &AppSealer, to: &Place<'_>, value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        let dek = Key::random()?;
        // A control of the tests: with sealing off they must find the value in the file.
        let sealed = match self.failpoints.pass(Point::SecretsSeal) {
            Passed::Skip => value.to_vec(),
            _ => dek.seal(&to.of_value(), value)?,
        };
        Ok((sealer.key.seal(&to.of_dek(&sealer.id), dek.bytes())?, sealed))
    }

    pub(super) fn set(&mut self, app: &AppKey, name: &str, value: &SecretValue, now: Timestamp) -> Result<u32, StoreError> {
        self.write(|vault, connection| {
            let sealer = vault.sealer_or_new(connection, app)?;
            let (app_name, env) = (app.app.as_str(), app.env.as_str());
            let newest: u32 = connection
                .prepare_cached(
                    "INSERT INTO secret_name (app, env, name, newest) VALUES (?1, ?2, ?3, 1)
                     ON CONFLICT DO UPDATE SET newest = newest + 1 RETURNING newest",
                )
                .and_then(|mut query| query.query_one(params![app_name, env, name], |row| row.get(0)))
                .map_err(broken)?;
            let (dek, sealed) = vault.seal(&sealer, &Place::Secret { app, name, version: newest }, &value.0)?;
            let insert = "INSERT INTO secret (app, env, name, version, at, dek, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            connection.execute(insert, params![app_name, env, name, newest, int(now.unix_ns()), dek, sealed]).map_err(broken)?;
            let forget = "DELETE FROM secret WHERE app = ?1 AND env = ?2 AND name = ?3 AND version <= ?4";
            let oldest = i64::from(newest) - i64::from(limits::SECRET_VERSIONS);
            connection.execute(forget, params![app_name, env, name, oldest]).map_err(broken)?;
            Ok(newest)
        })
    }

    pub(super) fn get(&self, app: &AppKey, name: &str) -> Result<Option<(u32, SecretValue)>, StoreError> {
        let text =
            "SELECT version, dek, sealed FROM secret WHERE app = ?1 AND env = ?2 AND name = ?3 ORDER BY version DESC LIMIT 1";
        let mut query = self.connection.prepare_cached(text).map_err(broken)?;
        let found: Option<(u32, Vec<u8>, Vec<u8>)> = query
            .query_one(params![app.app.as_str(), app.env.as_str(), name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(broken)?;
        let Some((version, dek, sealed)) = found else { return Ok(None) };
        let value = self.open(app, &Place::Secret { app, name, version }, &dek, &sealed)?;
        Ok(Some((version, SecretValue(value.to_vec()))))
    }

    fn open(&self, app: &AppKey, place: &Place<'_>, dek: &[u8], sealed: &[u8]) -> Result<Opened, StoreError> {
        let sealer = self.sealer(&self.connection, app)?.ok_or_else(|| changed(&format!("the key of {app}")))?;
        let dek = open_dek(&sealer, place, dek)?;
        dek.open(&place.of_value(), sealed).ok_or_else(|| changed(&place.to_string()))
    }

    pub(super) fn list(&self, app: &AppKey) -> Result<Vec<SecretInfo>, StoreError> {
        let text = "SELECT name, max(version), at FROM secret WHERE app = ?1 AND env = ?2 GROUP BY name ORDER BY name";
        let mut query = self.connection.prepare_cached(text).map_err(broken)?;
        let info = |row: &Row<'_>| {
            Ok(SecretInfo { name: row.get(0)?, version: row.get(1)?, set: Timestamp::from_unix_ns(uint(row.get(2)?)) })
        };
        let rows = query.query_map(params![app.app.as_str(), app.env.as_str()], info).map_err(broken)?;
        rows.collect::<rusqlite::Result<_>>().map_err(broken)
    }

    pub(super) fn remove(&mut self, app: &AppKey, name: &str) -> Result<(), StoreError> {
        self.write(|_, connection| {
            let text = "DELETE FROM secret WHERE app = ?1 AND env = ?2 AND name = ?3";
            connection.execute(text, params![app.app.as_str(), app.env.as_str(), name]).map_err(broken)?;
            Ok(())
        })
    }

    /// Gives every app a new key under the newest key of the platform, app by app; then forgets the old ones. Can be broken off anywhere
    /// and begun again: until the last app is done the file of keys holds the old ones too.
    pub(super) fn rewrap(&mut self) -> Result<u64, StoreError> {
        let newest = self.ring.newest().id();
        let mut count = 0;
        for app in self.apps_not_under(&newest)? {
            count += self.write(|vault, connection| vault.rewrap_app(connection, &app))?;
            self.failpoints.pass(Point::SecretsRewrapped);
        }
        self.failpoints.pass(Point::SecretsBeforeForget);
        // What the old keys open is in the log too.
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(truncate, [], |_| Ok(())).map_err(broken)?;
        self.ring.forget_old()?;
        Ok(count)
    }

    fn apps_not_under(&self, kek: &str) -> Result<Vec<AppKey>, StoreError> {
        let mut query = self.connection.prepare("SELECT app, env FROM app_key WHERE kek <> ?1").map_err(broken)?;
        let rows = query.query_map([kek], app_of).map_err(broken)?;
        rows.collect::<rusqlite::Result<_>>().map_err(broken)
    }

    fn rewrap_app(&self, connection: &Connection, app: &AppKey) -> Result<u64, StoreError> {
        let old = self.sealer(connection, app)?.ok_or_else(|| changed(&format!("the key of {app}")))?;
        let new = self.new_sealer(connection, app)?;
        let parameters = params![app.app.as_str(), app.env.as_str()];
        let rewrap = |place: &Place<'_>, dek: &[u8]| new.key.seal(&place.of_dek(&new.id), open_dek(&old, place, dek)?.bytes());
        let secrets: Vec<(i64, String, u32, Vec<u8>)> = connection
            .prepare("SELECT n, name, version, dek FROM secret WHERE app = ?1 AND env = ?2")
            .and_then(|mut query| {
                query.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
            })
            .map_err(broken)?;
        for (n, name, version, dek) in &secrets {
            let dek = rewrap(&Place::Secret { app, name, version: *version }, dek)?;
            connection.execute("UPDATE secret SET dek = ?2 WHERE n = ?1", params![n, dek]).map_err(broken)?;
        }
        let pairs: Vec<(i64, String, Vec<u8>)> = connection
            .prepare("SELECT n, id, dek FROM access_key WHERE app = ?1 AND env = ?2")
            .and_then(|mut query| query.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
            .map_err(broken)?;
        for (n, id, dek) in &pairs {
            let dek = rewrap(&Place::AccessKey { app, id }, dek)?;
            connection.execute("UPDATE access_key SET dek = ?2 WHERE n = ?1", params![n, dek]).map_err(broken)?;
        }
        Ok((secrets.len() + pairs.len()) as u64)
    }

    pub(super) fn issue(&mut self, app: &AppKey, read_only: bool, now: Timestamp) -> Result<AccessKey, StoreError> {
        let (mut id, mut secret) = ([0; 10], Zeroizing::new([0; 25]));
        seal::fill(&mut id)?;
        seal::fill(&mut *secret)?;
        // 4 and 16 characters; 40 characters.
        let id = format!("DFLY{}", BASE32_NOPAD.encode(&id));
        let secret = SecretValue(BASE32_NOPAD.encode(&*secret).into_bytes());
        let key = AccessKey { id, secret, app: app.clone(), read_only, issued: now };
        self.write(|vault, connection| {
            let sealer = vault.sealer_or_new(connection, app)?;
            let (dek, sealed) = vault.seal(&sealer, &Place::AccessKey { app, id: &key.id }, &key.secret.0)?;
            let insert = "INSERT INTO access_key (id, app, env, read_only, at, dek, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let (app, env, at) = (app.app.as_str(), app.env.as_str(), int(now.unix_ns()));
            connection.execute(insert, params![key.id, app, env, read_only, at, dek, sealed]).map_err(broken)?;
            Ok(())
        })?;
        Ok(key)
    }

    /// All pairs, opened, in the order in which they were issued.
    pub(super) fn pairs(&self) -> Result<Vec<AccessKey>, StoreError> {
        let text = "SELECT app, env, id, read_only, at, dek, sealed FROM access_key ORDER BY n";
        let mut query = self.connection.prepare(text).map_err(broken)?;
        let mut rows = query.query([]).map_err(broken)?;
        let mut pairs = Vec::new();
        while let Some(row) = rows.next().map_err(broken)? {
            let (mut key, dek, sealed) = pair_of(row).map_err(broken)?;
            let opened = self.open(&key.app, &Place::AccessKey { app: &key.app, id: &key.id }, &dek, &sealed)?;
            key.secret = SecretValue(opened.to_vec());
            pairs.push(key);
        }
        Ok(pairs)
    }

    pub(super) fn revoke(&mut self, id: &str) -> Result<bool, StoreError> {
        self.write(|_, connection| {
            let removed = connection.execute("DELETE FROM access_key WHERE id = ?1", [id]).map_err(broken)?;
            Ok(removed > 0)
        })
    }
}

/// Where a sealed value belongs.
enum Place<'a> {
    Secret { app: &'a AppKey, name: &'a str, version: u32 },
    AccessKey { app: &'a AppKey, id: &'a str },
}

impl Place<'_> {
    fn of_value(&self) -> Vec<u8> {
        match self {
            Self::Secret { app, name, version } => belongs(&["secret", &app.to_string(), name, &version.to_string()]),
            Self::AccessKey { app, id } => belongs(&["access key", &app.to_string(), id]),
        }
    }
    fn of_dek(&self, app_key: &str) -> Vec<u8> {
        [self.of_value(), belongs(&["wrapped by", app_key])].concat()
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Secret { app, name, version } => write!(f, "version {version} of the secret {name} of {app}"),
            Self::AccessKey { app, id } => write!(f, "the access key {id} of {app}"),
        }
    }
}

fn open_dek(sealer: &AppSealer, place: &Place<'_>, dek: &[u8]) -> Result<Key, StoreError> {
    let opened = sealer.key.open(&place.of_dek(&sealer.id), dek);
    opened.and_then(|key| Key::from_slice(&key)).ok_or_else(|| changed(&place.to_string()))
}

fn changed(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} was changed where it is stored"))
}

fn app_of(row: &Row<'_>) -> rusqlite::Result<AppKey> {
    let unfit = || crate::sqlite::damaged("the name of an app can't be read".into());
    let (app, env): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(AppKey { app: app.parse().map_err(|_| unfit())?, env: env.parse().map_err(|_| unfit())? })
}

fn pair_of(row: &Row<'_>) -> rusqlite::Result<(AccessKey, Vec<u8>, Vec<u8>)> {
    let issued = Timestamp::from_unix_ns(uint(row.get(4)?));
    let key = AccessKey { id: row.get(2)?, secret: SecretValue(vec![]), app: app_of(row)?, read_only: row.get(3)?, issued };
    Ok((key, row.get(5)?, row.get(6)?))
}

fn failure_is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}
