//! Key-value stores in memory.

use std::{cell::RefCell, collections::BTreeMap, ops::Bound};

use super::{granted, writable};
use crate::host::services::{Answer, Failed};

/// Keys of one page, few so that tests see several.
const PAGE: usize = 4;

type Entries = BTreeMap<String, (Vec<u8>, u64)>;

thread_local! {
    static STORES: RefCell<BTreeMap<String, (Entries, u64)>> = RefCell::default();
}

/// An open store.
pub struct Store(String);

/// A value to be swapped if nobody else has written it.
pub struct Cas {
    store: String,
    key: String,
    seen: Option<(Vec<u8>, u64)>,
}

/// Opens a store.
pub fn open(name: &str) -> Answer<Store> {
    granted("kv", name).map_err(|_| Failed::new("access-denied", ""))?;
    Ok(Store(name.to_owned()))
}

fn with<T>(store: &str, work: impl FnOnce(&mut Entries, &mut u64) -> T) -> T {
    STORES.with_borrow_mut(|stores| {
        let (entries, version) = stores.entry(store.to_owned()).or_default();
        work(entries, version)
    })
}

fn write(store: &str, key: &str, value: Vec<u8>) {
    with(store, |entries, version| {
        *version += 1;
        entries.insert(key.to_owned(), (value, *version));
    });
}

impl Store {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Answer<Option<Vec<u8>>> {
        Ok(with(&self.0, |entries, _| entries.get(key).map(|(value, _)| value.clone())))
    }
    /// The values of keys.
    pub fn get_many(&self, keys: &[String]) -> Answer<Vec<Option<Vec<u8>>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }
    /// Writes entries.
    pub fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Answer<()> {
        writable("kv", &self.0).map_err(|_| Failed::new("access-denied", ""))?;
        entries.into_iter().for_each(|(key, value)| write(&self.0, &key, value));
        Ok(())
    }
    /// Removes keys.
    pub fn delete_many(&self, keys: &[String]) -> Answer<()> {
        writable("kv", &self.0).map_err(|_| Failed::new("access-denied", ""))?;
        with(&self.0, |entries, _| keys.iter().for_each(|key| drop(entries.remove(key))));
        Ok(())
    }
    /// Whether a key is there.
    pub fn exists(&self, key: &str) -> Answer<bool> {
        Ok(self.get(key)?.is_some())
    }
    /// A page of keys behind this one, and the last of them if more may follow.
    pub fn keys(&self, after: Option<&str>) -> Answer<(Vec<String>, Option<String>)> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.to_owned()));
        let keys: Vec<String> =
            with(&self.0, |entries, _| entries.range((from, Bound::Unbounded)).map(|(key, _)| key.clone()).take(PAGE).collect());
        let cursor = (keys.len() == PAGE).then(|| keys.last().cloned()).flatten();
        Ok((keys, cursor))
    }
    /// Adds to a number.
    pub fn increment(&self, key: &str, by: i64) -> Answer<i64> {
        let old = self.get(key)?.map_or(Some(0), |value| String::from_utf8(value).ok()?.parse::<i64>().ok());
        let sum = old.ok_or_else(|| Failed::words("the value is not a whole number in decimal digits".to_owned()))? + by;
        write(&self.0, key, sum.to_string().into_bytes());
        Ok(sum)
    }
    /// Begins a compare-and-swap.
    pub fn cas(&self, key: &str) -> Answer<Cas> {
        let seen = with(&self.0, |entries, _| entries.get(key).cloned());
        Ok(Cas { store: self.0.clone(), key: key.to_owned(), seen })
    }
}

impl Cas {
    /// The value that was seen.
    pub fn current(&self) -> Answer<Option<Vec<u8>>> {
        Ok(self.seen.clone().map(|(value, _)| value))
    }
    /// Writes if nobody else has.
    pub fn swap(self, value: Vec<u8>) -> Answer<bool> {
        let now = with(&self.store, |entries, _| entries.get(&self.key).map(|(_, version)| *version));
        if now != self.seen.map(|(_, version)| version) {
            return Ok(false);
        }
        write(&self.store, &self.key, value);
        Ok(true)
    }
}
