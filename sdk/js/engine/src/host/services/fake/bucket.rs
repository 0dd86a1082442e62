//! Buckets in memory. Bytes come and go in small pieces, each of which has to be waited for.

use std::{cell::RefCell, collections::BTreeMap, ops::Bound};

use super::{granted, writable};
use crate::host::{
    fake::{http::Body, poll::Pollable},
    http_types::Written,
    services::{Answer, Failed, ObjectInfo, Page},
};

/// Bytes of one piece.
const PIECE: usize = 8;

type Objects = BTreeMap<String, Vec<u8>>;

thread_local! {
    static BUCKETS: RefCell<BTreeMap<String, Objects>> = RefCell::default();
}

/// An open bucket.
pub struct Bucket(String);

/// An object that is written.
#[derive(Debug)]
pub struct Writing {
    bucket: String,
    key: String,
    bytes: Vec<u8>,
    is_waiting: bool,
}

/// Opens a bucket.
pub fn open(name: &str) -> Answer<Bucket> {
    granted("bucket", name)?;
    Ok(Bucket(name.to_owned()))
}

fn with<T>(bucket: &str, work: impl FnOnce(&mut Objects) -> T) -> T {
    BUCKETS.with_borrow_mut(|buckets| work(buckets.entry(bucket.to_owned()).or_default()))
}

impl Bucket {
    /// An object's bytes from the first to the last, both included, and how many that are; none if it is not there.
    pub(crate) fn get(&self, key: &str, first: u64, last: u64) -> Answer<Option<(Body, u64)>> {
        let Some(bytes) = with(&self.0, |objects| objects.get(key).cloned()) else { return Ok(None) };
        let end = last.saturating_add(1).min(bytes.len() as u64);
        let bytes = bytes[first.min(end) as usize..end as usize].to_vec();
        let count = bytes.len() as u64;
        Ok(Some((Body::of_pieces(bytes.chunks(PIECE).map(<[u8]>::to_vec).collect()), count)))
    }
    /// What is known of an object; none if it is not there.
    pub fn info(&self, key: &str) -> Answer<Option<ObjectInfo>> {
        Ok(with(&self.0, |objects| objects.get(key).map(|bytes| ObjectInfo { bytes: bytes.len() as u64, written_s: 1_000 })))
    }
    /// Whether an object is there.
    pub fn has(&self, key: &str) -> Answer<bool> {
        Ok(with(&self.0, |objects| objects.contains_key(key)))
    }
    /// Removes objects.
    pub fn delete(&self, keys: &[String]) -> Answer<()> {
        writable("bucket", &self.0)?;
        with(&self.0, |objects| keys.iter().for_each(|key| drop(objects.remove(key))));
        Ok(())
    }
    /// Names that begin with `prefix` and come behind `after`, at most so many.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Answer<Page> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.to_owned()));
        let fitting = |objects: &mut Objects| {
            let behind = objects.range((from, Bound::Unbounded)).map(|(key, _)| key.clone());
            behind.filter(|key| key.starts_with(prefix)).take(limit + 1).collect::<Vec<_>>()
        };
        let mut names = with(&self.0, fitting);
        let is_last = names.len() <= limit;
        names.truncate(limit);
        Ok(Page { names, is_last })
    }
    /// Begins to write an object.
    pub fn put(&self, key: &str) -> Answer<Writing> {
        writable("bucket", &self.0)?;
        Ok(Writing { bucket: self.0.clone(), key: key.to_owned(), bytes: Vec::new(), is_waiting: false })
    }
}

/// Copies or moves an object.
pub fn copy(from: (&str, &str), to: (&str, &str), moves: bool) -> Answer<()> {
    granted("bucket", from.0)?;
    writable("bucket", to.0)?;
    let bytes = with(from.0, |objects| if moves { objects.remove(from.1) } else { objects.get(from.1).cloned() });
    let bytes = bytes.ok_or_else(|| Failed::new("other", format!("no such object: {}", from.1)))?;
    with(to.0, |objects| drop(objects.insert(to.1.to_owned(), bytes)));
    Ok(())
}

impl Writing {
    /// Takes some of the bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Written {
        self.is_waiting = !self.is_waiting;
        if self.is_waiting {
            return Written::Wait(Pollable::now());
        }
        let taken = bytes.len().min(PIECE);
        self.bytes.extend_from_slice(&bytes[..taken]);
        Written::Taken(taken)
    }
    /// Makes it an object.
    pub fn finish(self) -> Answer<()> {
        if self.key.contains("full") {
            return Err(Failed::new("other", "the disk is full"));
        }
        with(&self.bucket, |objects| drop(objects.insert(self.key, self.bytes)));
        Ok(())
    }
}
