//! `wasi:keyvalue` and Spin's `key-value`, over the scope's key-value store. What every version shares is here; [`versions`] says it in
//! the words of each.

mod versions;

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use ports::{StoreError, scope::OpenKv};
use types::{
    Code,
    journal::Failure,
    kv::{Committed, Condition, Entry, Transaction, Write},
    limits,
};
use wasmtime::component::Resource;

use super::Host;

/// Keys of one page of `list-keys`. Pages hold values too on their way here, each up to `limits::KV_VALUE`.
const PAGE: usize = 64;
/// Keys that Spin's `get-keys` gives, which knows no pages.
const KEYS_MAX: usize = 10_000;
/// How often `increment` begins again because another was faster.
const ATTEMPTS: usize = 100;

/// An open store.
pub struct Bucket {
    open: Arc<OpenKv>,
    /// The last key of every page but the last, for the version whose cursors are numbers.
    pages: Vec<Bytes>,
}

/// A value to be swapped if nobody else has written it.
pub struct Swap {
    open: Arc<OpenKv>,
    key: Bytes,
    seen: Option<Entry>,
}

/// How a call fails, in the words that every version has.
pub(crate) enum Failed {
    /// The function was not granted it.
    AccessDenied,
    /// Anything else.
    Other(String),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Denied(_) => Self::AccessDenied,
            // The text alone, without its code: a replay knows no more, and the guest must read the same.
            other => Self::Other(other.to_string()),
        }
    }
}
impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure.code {
            Code::E0201 | Code::E0202 => Self::AccessDenied,
            _ => Self::Other(failure.message),
        }
    }
}

/// A call's result: ended guest outside, failure inside.
type Answered<T> = wasmtime::Result<Result<T, Failed>>;

fn put(key: Bytes, value: Vec<u8>) -> Write {
    Write::Put { key, value: value.into(), expires: None }
}

impl Host {
    fn kv_open(&mut self, name: &str) -> Answered<Resource<Bucket>> {
        match self.scope.kv(name) {
            Ok(open) => Ok(Ok(self.table.push(Bucket { open: Arc::new(open), pages: Vec::new() })?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn opened(&self, bucket: &Resource<Bucket>) -> wasmtime::Result<Arc<OpenKv>> {
        Ok(self.table.get(bucket)?.open.clone())
    }

    /// Waits for a store, while the guest's outbound requests go on.
    async fn stored<T>(&mut self, call: impl Future<Output = Result<T, StoreError>>) -> Answered<T> {
        let mut call = pin!(call);
        let result = self.wait(|_, cx| Ok(call.as_mut().poll(cx))).await?;
        Ok(result.map_err(Failed::from))
    }

    async fn kv_entry(&mut self, open: &OpenKv, key: &Bytes) -> Answered<Option<Entry>> {
        self.stored(open.kv.get(&open.namespace, key)).await
    }

    async fn kv_get(&mut self, bucket: &Resource<Bucket>, key: String) -> Answered<Option<Vec<u8>>> {
        let open = self.opened(bucket)?;
        let entry = self.kv_entry(&open, &key.into()).await?;
        Ok(entry.map(|entry| entry.map(|entry| entry.value.into())))
    }

    async fn kv_exists(&mut self, bucket: &Resource<Bucket>, key: String) -> Answered<bool> {
        let open = self.opened(bucket)?;
        let entry = self.kv_entry(&open, &key.into()).await?;
        Ok(entry.map(|entry| entry.is_some()))
    }

    /// Writes without conditions, at most `limits::KV_TRANSACTION` at once.
    async fn kv_write(&mut self, bucket: &Resource<Bucket>, mut writes: Vec<Write>) -> Answered<()> {
        let open = self.opened(bucket)?;
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(limits::KV_TRANSACTION));
            let transaction = Transaction { writes, ..Transaction::default() };
            if let Err(failed) = self.stored(open.kv.commit(&open.namespace, transaction)).await? {
                return Ok(Err(failed));
            }
            writes = rest;
        }
        Ok(Ok(()))
    }

    /// Writes one value if it is still the one that was seen.
    async fn kv_swap(&mut self, open: &OpenKv, key: &Bytes, seen: Option<&Entry>, value: Vec<u8>) -> Answered<bool> {
        let condition = seen.map_or_else(|| Condition::Absent(key.clone()), |entry| Condition::At(key.clone(), entry.rev));
        let transaction =
            Transaction { conditions: vec![condition], writes: vec![put(key.clone(), value)], idempotency: None, cause: None };
        let committed = self.stored(open.kv.commit(&open.namespace, transaction)).await?;
        Ok(committed.map(|committed| matches!(committed, Committed::At(_))))
    }

    /// Adds to a number that is kept as decimal digits, so that other programs can read and write it as text.
    async fn kv_increment(&mut self, bucket: &Resource<Bucket>, key: String, delta: i64) -> Answered<i64> {
        let (open, key) = (self.opened(bucket)?, Bytes::from(key));
        for _ in 0..ATTEMPTS {
            let seen = match self.kv_entry(&open, &key).await? {
                Ok(seen) => seen,
                Err(failed) => return Ok(Err(failed)),
            };
            let sum = match added(seen.as_ref(), delta) {
                Ok(sum) => sum,
                Err(why) => return Ok(Err(Failed::Other(why))),
            };
            match self.kv_swap(&open, &key, seen.as_ref(), sum.to_string().into_bytes()).await? {
                Ok(false) => {}
                Ok(true) => return Ok(Ok(sum)),
                Err(failed) => return Ok(Err(failed)),
            }
        }
        Ok(Err(Failed::Other(format!("others changed the number {ATTEMPTS} times meanwhile"))))
    }

    async fn kv_get_many(&mut self, bucket: &Resource<Bucket>, keys: Vec<String>) -> Answered<Vec<Option<(String, Vec<u8>)>>> {
        let open = self.opened(bucket)?;
        if keys.len() > limits::KV_TRANSACTION {
            let (count, allowed) = (keys.len(), limits::KV_TRANSACTION);
            return Ok(Err(Failed::Other(format!("keys {count}, allowed {allowed}"))));
        }
        let wanted: Vec<Bytes> = keys.iter().map(|key| Bytes::copy_from_slice(key.as_bytes())).collect();
        let entries = self.stored(open.kv.get_many(&open.namespace, &wanted)).await?;
        let pair = |(key, entry): (String, Option<Entry>)| entry.map(|entry| (key, entry.value.into()));
        Ok(entries.map(|entries| keys.into_iter().zip(entries).map(pair).collect()))
    }

    /// A page of keys, with the last of them if more may follow. Keys that are no text can't be named here and are left out.
    async fn kv_keys(&mut self, bucket: &Resource<Bucket>, after: Option<Bytes>) -> Answered<(Vec<String>, Option<Bytes>)> {
        let open = self.opened(bucket)?;
        let page = self.stored(open.kv.list(&open.namespace, &Bytes::new(), after.as_ref(), PAGE)).await?;
        Ok(page.map(|page| {
            let last = page.last().filter(|_| page.len() == PAGE).map(|entry| entry.key.clone());
            (page.into_iter().filter_map(|entry| String::from_utf8(entry.key.into()).ok()).collect(), last)
        }))
    }

    async fn kv_all_keys(&mut self, bucket: &Resource<Bucket>) -> Answered<Vec<String>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            match self.kv_keys(bucket, after).await? {
                Err(failed) => return Ok(Err(failed)),
                Ok((keys, last)) => {
                    all.extend(keys);
                    after = last;
                }
            }
            if after.is_none() {
                return Ok(Ok(all));
            }
            if all.len() >= KEYS_MAX {
                return Ok(Err(Failed::Other(format!("keys more than {KEYS_MAX}: list them page by page instead"))));
            }
        }
    }
}

fn added(seen: Option<&Entry>, delta: i64) -> Result<i64, String> {
    let Some(entry) = seen else { return Ok(delta) };
    let number = std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse::<i64>().ok());
    let number = number.ok_or("the value is not a whole number in decimal digits")?;
    number.checked_add(delta).ok_or_else(|| format!("{number} and {delta} are more than 64 bits hold"))
}

#[cfg(test)]
mod tests {
    use types::kv::Rev;

    use super::*;

    #[test]
    fn numbers_are_decimal_text() {
        let entry = |text: &'static str| Entry { key: Bytes::new(), value: text.into(), rev: Rev(1), expires: None };
        assert_eq!(added(None, -3), Ok(-3));
        assert_eq!(added(Some(&entry("40")), 2), Ok(42));
        assert!(added(Some(&entry("forty")), 2).is_err());
        assert!(added(Some(&entry("9223372036854775807")), 1).is_err());
    }
}
