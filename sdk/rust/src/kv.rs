//! The app's key-value stores.
//!
//! ```no_run
//! use dayfly::kv;
//!
//! # fn main() -> Result<(), dayfly::Error> {
//! let sessions = kv::open("sessions")?;
//! sessions.set("ada", "in")?;
//! let visits = sessions.increment("visits", 1)?;
//! println!("{visits} {:?}", sessions.text("ada")?);
//! # Ok(())
//! # }
//! ```

use crate::{
    Error,
    bindings::keyvalue::{atomics, batch, store},
};

/// An open store.
pub struct Store(store::Bucket);

/// Opens a store by its name in the manifest: `kv.sessions` is `sessions`.
pub fn open(name: &str) -> Result<Store, Error> {
    Ok(Store(store::open(name)?))
}

impl Store {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.get(key)?)
    }
    /// The value of a key as text; what is not UTF-8 in it is replaced.
    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.get(key)?.map(|value| String::from_utf8_lossy(&value).into_owned()))
    }
    /// Writes a value.
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
        Ok(self.0.set(key, value.as_ref())?)
    }
    /// Removes a key; nothing happens if it is not there.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        Ok(self.0.delete(key)?)
    }
    /// Whether a key is there.
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.0.exists(key)?)
    }
    /// Adds to a number, kept as decimal digits, and gives the sum. Nothing comes in between.
    pub fn increment(&self, key: &str, by: i64) -> Result<i64, Error> {
        Ok(atomics::increment(&self.0, key, by)?)
    }
    /// The values of many keys, all from one moment.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        Ok(batch::get_many(&self.0, keys)?.into_iter().map(|pair| pair.map(|(_, value)| value)).collect())
    }
    /// Writes many values.
    pub fn set_many(&self, pairs: &[(String, Vec<u8>)]) -> Result<(), Error> {
        Ok(batch::set_many(&self.0, pairs)?)
    }
    /// A page of keys in order, and where the next page begins.
    pub fn keys(&self, after: Option<&str>) -> Result<(Vec<String>, Option<String>), Error> {
        let page = self.0.list_keys(after)?;
        Ok((page.keys, page.cursor))
    }
    /// Changes a value so that no other change is lost: `change` is called again with what another has written meanwhile.
    pub fn update(&self, key: &str, mut change: impl FnMut(Option<Vec<u8>>) -> Vec<u8>) -> Result<(), Error> {
        let mut swap = atomics::Cas::new(&self.0, key)?;
        loop {
            let value = change(swap.current()?);
            swap = match atomics::swap(swap, &value) {
                Ok(()) => return Ok(()),
                Err(atomics::CasError::CasFailed(fresh)) => fresh,
                Err(atomics::CasError::StoreError(error)) => return Err(error.into()),
            };
        }
    }
}
