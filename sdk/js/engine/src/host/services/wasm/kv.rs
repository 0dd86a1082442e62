//! `wasi:keyvalue`.

use crate::host::{
    services::{Answer, Failed},
    wasm::bindings::wasi::keyvalue0_2_0_draft2::{atomics, batch, store},
};

/// An open store.
pub(crate) struct Store(store::Bucket);

/// A value to be swapped if nobody else has written it.
pub(crate) struct Cas(atomics::Cas);

/// Opens a store.
pub(crate) fn open(name: &str) -> Answer<Store> {
    store::open(name).map(Store).map_err(told)
}

fn told(error: store::Error) -> Failed {
    match error {
        store::Error::NoSuchStore => Failed::new("access-denied", "there is no such store"),
        // The interface has no words for it; the prelude does.
        store::Error::AccessDenied => Failed::new("access-denied", ""),
        store::Error::Other(text) => Failed::words(text),
    }
}

impl Store {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Answer<Option<Vec<u8>>> {
        self.0.get(key).map_err(told)
    }
    /// The values of keys.
    pub(crate) fn get_many(&self, keys: &[String]) -> Answer<Vec<Option<Vec<u8>>>> {
        let pairs = batch::get_many(&self.0, keys).map_err(told)?;
        Ok(pairs.into_iter().map(|pair| pair.map(|(_, value)| value)).collect())
    }
    /// Writes entries.
    pub(crate) fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<()> {
        match entries.as_slice() {
            [(key, value)] => self.0.set(key, value),
            entries => batch::set_many(&self.0, entries),
        }
        .map_err(told)
    }
    /// Removes keys.
    pub(crate) fn delete_many(&self, keys: &[String]) -> Answer<()> {
        match keys {
            [key] => self.0.delete(key),
            keys => batch::delete_many(&self.0, keys),
        }
        .map_err(told)
    }
    /// Whether a key is there.
    pub(crate) fn exists(&self, key: &str) -> Answer<bool> {
        self.0.exists(key).map_err(told)
    }
    /// A page of keys behind this one, and the last of them if more may follow: the platform's cursor is a key.
    pub(crate) fn keys(&self, after: Option<&str>) -> Answer<(Vec<String>, Option<String>)> {
        self.0.list_keys(after).map(|page| (page.keys, page.cursor)).map_err(told)
    }
    /// Adds to a number.
    pub(crate) fn increment(&self, key: &str, by: i64) -> Answer<i64> {
        atomics::increment(&self.0, key, by).map_err(told)
    }
    /// Begins a compare-and-swap.
    pub(crate) fn cas(&self, key: &str) -> Answer<Cas> {
        atomics::Cas::new(&self.0, key).map(Cas).map_err(told)
    }
}

impl Cas {
    /// The value that was seen.
    pub(crate) fn current(&self) -> Answer<Option<Vec<u8>>> {
        self.0.current().map_err(told)
    }
    /// Writes if nobody else has.
    pub(crate) fn swap(self, value: Vec<u8>) -> Answer<bool> {
        match atomics::swap(self.0, &value) {
            Ok(()) => Ok(true),
            Err(atomics::CasError::CasFailed(_)) => Ok(false),
            Err(atomics::CasError::StoreError(error)) => Err(told(error)),
        }
    }
}
