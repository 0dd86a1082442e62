//! The key-value interfaces, version by version.

use bytes::Bytes;
use types::kv::Write;
use wasmtime::component::Resource;

use super::{Bucket, Failed, Host, Swap, put};
use crate::host::bindings::{
    fermyon::spin::key_value as spin,
    wasi::{
        keyvalue0_2_0_draft::{atomics as atomics1, batch as batch1, store as store1},
        keyvalue0_2_0_draft2::{atomics as atomics2, batch as batch2, store as store2},
    },
};

macro_rules! words {
    ($($error:path),*) => {$(
        impl From<Failed> for $error {
            fn from(failed: Failed) -> Self {
                match failed {
                    Failed::AccessDenied => Self::AccessDenied,
                    Failed::Other(text) => Self::Other(text),
                }
            }
        }
    )*};
}
words!(store1::Error, store2::Error, spin::Error);

/// What both versions of `wasi:keyvalue` say alike.
macro_rules! serve {
    ($store:ident, $batch:ident, $cursor:ty, $list_keys:ident) => {
        impl $store::Host for Host {
            fn open(&mut self, name: String) -> wasmtime::Result<Result<Resource<Bucket>, $store::Error>> {
                Ok(self.kv_open(&name)?.map_err(Into::into))
            }
        }
        impl $store::HostBucket for Host {
            async fn get(
                &mut self,
                bucket: Resource<Bucket>,
                key: String,
            ) -> wasmtime::Result<Result<Option<Vec<u8>>, $store::Error>> {
                Ok(self.kv_get(&bucket, key).await?.map_err(Into::into))
            }
            async fn set(
                &mut self,
                bucket: Resource<Bucket>,
                key: String,
                value: Vec<u8>,
            ) -> wasmtime::Result<Result<(), $store::Error>> {
                Ok(self.kv_write(&bucket, vec![put(key.into(), value)]).await?.map_err(Into::into))
            }
            async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> wasmtime::Result<Result<(), $store::Error>> {
                Ok(self.kv_write(&bucket, vec![Write::Delete { key: key.into() }]).await?.map_err(Into::into))
            }
            async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> wasmtime::Result<Result<bool, $store::Error>> {
                Ok(self.kv_exists(&bucket, key).await?.map_err(Into::into))
            }
            async fn list_keys(
                &mut self,
                bucket: Resource<Bucket>,
                cursor: Option<$cursor>,
            ) -> wasmtime::Result<Result<$store::KeyResponse, $store::Error>> {
                self.$list_keys(bucket, cursor).await
            }
            fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
                self.table.delete(bucket)?;
                Ok(())
            }
        }
        impl $batch::Host for Host {
            async fn get_many(
                &mut self,
                bucket: Resource<Bucket>,
                keys: Vec<String>,
            ) -> wasmtime::Result<Result<Vec<Option<(String, Vec<u8>)>>, $store::Error>> {
                Ok(self.kv_get_many(&bucket, keys).await?.map_err(Into::into))
            }
            async fn set_many(
                &mut self,
                bucket: Resource<Bucket>,
                pairs: Vec<(String, Vec<u8>)>,
            ) -> wasmtime::Result<Result<(), $store::Error>> {
                let writes = pairs.into_iter().map(|(key, value)| put(key.into(), value)).collect();
                Ok(self.kv_write(&bucket, writes).await?.map_err(Into::into))
            }
            async fn delete_many(
                &mut self,
                bucket: Resource<Bucket>,
                keys: Vec<String>,
            ) -> wasmtime::Result<Result<(), $store::Error>> {
                let writes = keys.into_iter().map(|key| Write::Delete { key: key.into() }).collect();
                Ok(self.kv_write(&bucket, writes).await?.map_err(Into::into))
            }
        }
    };
}
serve!(store1, batch1, u64, keys_by_number);
serve!(store2, batch2, String, keys_by_text);

impl Host {
    /// The cursor is the last key of the page before.
    async fn keys_by_text(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<store2::KeyResponse, store2::Error>> {
        let page = self.kv_keys(&bucket, cursor.map(Bytes::from)).await?;
        Ok(page.map_err(Into::into).map(|(keys, last)| {
            let cursor = last.map(|key| String::from_utf8_lossy(&key).into_owned());
            store2::KeyResponse { keys, cursor }
        }))
    }

    /// The cursor is the number of a page that the bucket remembers, from 1.
    async fn keys_by_number(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> wasmtime::Result<Result<store1::KeyResponse, store1::Error>> {
        let number = usize::try_from(cursor.unwrap_or(0)).unwrap_or(usize::MAX);
        let pages = &self.table.get(&bucket)?.pages;
        let after = match number.checked_sub(1).map(|index| pages.get(index)) {
            None => None,
            Some(Some(key)) => Some(key.clone()),
            Some(None) => return Ok(Err(store1::Error::Other(format!("no page was given the cursor {number}")))),
        };
        let (keys, last) = match self.kv_keys(&bucket, after).await? {
            Ok(page) => page,
            Err(failed) => return Ok(Err(failed.into())),
        };
        let pages = &mut self.table.get_mut(&bucket)?.pages;
        pages.truncate(number);
        pages.extend(last.clone());
        Ok(Ok(store1::KeyResponse { keys, cursor: last.map(|_| number as u64 + 1) }))
    }
}

impl atomics1::Host for Host {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: u64,
    ) -> wasmtime::Result<Result<u64, store1::Error>> {
        let Ok(delta) = i64::try_from(delta) else {
            return Ok(Err(store1::Error::Other("the number to add is too large".to_owned())));
        };
        let sum = self.kv_increment(&bucket, key, delta).await?;
        let unsigned = |sum: i64| u64::try_from(sum).map_err(|_| Failed::Other(format!("{sum} is below zero")));
        Ok(sum.and_then(unsigned).map_err(Into::into))
    }
}

impl atomics2::Host for Host {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, store2::Error>> {
        Ok(self.kv_increment(&bucket, key, delta).await?.map_err(Into::into))
    }
    async fn swap(&mut self, swap: Resource<Swap>, value: Vec<u8>) -> wasmtime::Result<Result<(), atomics2::CasError>> {
        let Swap { open, key, seen } = self.table.delete(swap)?;
        let store_error = |failed: Failed| Ok(Err(atomics2::CasError::StoreError(failed.into())));
        match self.kv_swap(&open, &key, seen.as_ref(), value).await? {
            Ok(true) => return Ok(Ok(())),
            Ok(false) => {}
            Err(failed) => return store_error(failed),
        }
        match self.kv_entry(&open, &key).await? {
            Ok(seen) => Ok(Err(atomics2::CasError::CasFailed(self.table.push(Swap { open, key, seen })?))),
            Err(failed) => store_error(failed),
        }
    }
}

impl atomics2::HostCas for Host {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> wasmtime::Result<Result<Resource<Swap>, store2::Error>> {
        let (open, key) = (self.opened(&bucket)?, Bytes::from(key));
        match self.kv_entry(&open, &key).await? {
            Ok(seen) => Ok(Ok(self.table.push(Swap { open, key, seen })?)),
            Err(failed) => Ok(Err(failed.into())),
        }
    }
    fn current(&mut self, swap: Resource<Swap>) -> wasmtime::Result<Result<Option<Vec<u8>>, store2::Error>> {
        Ok(Ok(self.table.get(&swap)?.seen.as_ref().map(|entry| entry.value.to_vec())))
    }
    fn drop(&mut self, swap: Resource<Swap>) -> wasmtime::Result<()> {
        self.table.delete(swap)?;
        Ok(())
    }
}

impl spin::Host for Host {}
impl spin::HostStore for Host {
    fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Bucket>, spin::Error>> {
        Ok(self.kv_open(&label)?.map_err(Into::into))
    }
    async fn get(&mut self, store: Resource<Bucket>, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, spin::Error>> {
        Ok(self.kv_get(&store, key).await?.map_err(Into::into))
    }
    async fn set(&mut self, store: Resource<Bucket>, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), spin::Error>> {
        Ok(self.kv_write(&store, vec![put(key.into(), value)]).await?.map_err(Into::into))
    }
    async fn delete(&mut self, store: Resource<Bucket>, key: String) -> wasmtime::Result<Result<(), spin::Error>> {
        Ok(self.kv_write(&store, vec![Write::Delete { key: key.into() }]).await?.map_err(Into::into))
    }
    async fn exists(&mut self, store: Resource<Bucket>, key: String) -> wasmtime::Result<Result<bool, spin::Error>> {
        Ok(self.kv_exists(&store, key).await?.map_err(Into::into))
    }
    async fn get_keys(&mut self, store: Resource<Bucket>) -> wasmtime::Result<Result<Vec<String>, spin::Error>> {
        Ok(self.kv_all_keys(&store).await?.map_err(Into::into))
    }
    fn drop(&mut self, store: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
