//! `wasi:blobstore/container`: a bucket and the objects in it.

use std::{collections::VecDeque, sync::Arc};

use ports::{
    objects::{ByteRange, ObjectQuery},
    scope::OpenBucket,
};
use types::limits;
use wasmtime::component::Resource;

use super::{IncomingValue, OutgoingValue, no_object, words};
use crate::host::{
    Host,
    bindings::wasi::blobstore::container::{self, ContainerMetadata, ObjectMetadata},
    store::Answered,
};

/// Names of one page that the store is asked for.
const PAGE: usize = 256;

/// A bucket that was opened.
pub struct Container {
    name: String,
    open: Arc<OpenBucket>,
}

/// The names of a bucket's objects, page by page.
pub struct ObjectNames {
    open: Arc<OpenBucket>,
    names: VecDeque<String>,
    after: Option<String>,
    /// Whether the last page was read.
    complete: bool,
}

impl Container {
    pub(super) fn new(name: String, open: OpenBucket) -> Self {
        Self { name, open: Arc::new(open) }
    }
}

impl Host {
    fn bucket(&self, container: &Resource<Container>) -> wasmtime::Result<Arc<OpenBucket>> {
        Ok(self.table.get(container)?.open.clone())
    }

    async fn delete_all(&mut self, open: &OpenBucket, names: Vec<String>) -> Answered<(), String> {
        for name in names {
            if let Err(error) = self.asked(open.objects.delete(&open.bucket, &name, None, None)).await? {
                return Ok(Err(words(error)));
            }
        }
        Ok(Ok(()))
    }

    /// The next page of names, and what to continue after.
    async fn page(&mut self, open: &OpenBucket, after: Option<String>) -> Answered<(Vec<String>, Option<String>), String> {
        let query = ObjectQuery { after, limit: PAGE, ..ObjectQuery::default() };
        let page = self.asked(open.objects.list(&open.bucket, query)).await?;
        Ok(page.map(|page| (page.objects.into_iter().map(|info| info.key).collect(), page.next)).map_err(words))
    }

    /// Takes at most so many names, and says whether these are the last.
    async fn take_names(&mut self, names: &Resource<ObjectNames>, wanted: u64) -> Answered<(Vec<String>, bool), String> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(limits::BUCKET_PAGE);
        loop {
            let ObjectNames { open, names: held, after, complete } = self.table.get_mut(names)?;
            if *complete || held.len() >= wanted {
                let taken: Vec<String> = held.drain(..wanted.min(held.len())).collect();
                return Ok(Ok((taken, *complete && held.is_empty())));
            }
            let (open, after) = (open.clone(), after.clone());
            match self.page(&open, after).await? {
                Err(failed) => return Ok(Err(failed)),
                Ok((page, next)) => {
                    let state = self.table.get_mut(names)?;
                    state.names.extend(page);
                    state.complete = next.is_none();
                    state.after = next;
                }
            }
        }
    }
}

impl container::Host for Host {}

impl container::HostContainer for Host {
    fn name(&mut self, container: Resource<Container>) -> Answered<String, String> {
        Ok(Ok(self.table.get(&container)?.name.clone()))
    }
    async fn info(&mut self, container: Resource<Container>) -> Answered<ContainerMetadata, String> {
        let (name, open) = (self.table.get(&container)?.name.clone(), self.bucket(&container)?);
        let found = self.asked(open.objects.buckets(&open.bucket.0)).await?;
        Ok(found.map_err(words).map(|found| {
            let made = found.into_iter().find(|(bucket, _)| *bucket == open.bucket).map(|(_, made)| made);
            ContainerMetadata { name, created_at: made.unwrap_or_default().unix_ms() / 1_000 }
        }))
    }
    async fn get_data(
        &mut self,
        container: Resource<Container>,
        name: String,
        start: u64,
        end: u64,
    ) -> Answered<Resource<IncomingValue>, String> {
        let open = self.bucket(&container)?;
        let range = (start > 0 || end < u64::MAX).then_some(ByteRange::Between(start, end));
        match self.asked(open.objects.get(&open.bucket, &name, None, range)).await? {
            Ok(Some((info, body))) => {
                let bytes = range.map_or(Some((0, info.bytes)), |range| range.within(info.bytes)).map_or(0, |(_, bytes)| bytes);
                Ok(Ok(self.table.push(IncomingValue::new(body, bytes))?))
            }
            Ok(None) => Ok(Err(no_object(&name))),
            Err(error) => Ok(Err(words(error))),
        }
    }
    async fn write_data(
        &mut self,
        container: Resource<Container>,
        name: String,
        data: Resource<OutgoingValue>,
    ) -> Answered<(), String> {
        let open = self.bucket(&container)?;
        self.begin_write(open, name, &data).await
    }
    async fn list_objects(&mut self, container: Resource<Container>) -> Answered<Resource<ObjectNames>, String> {
        let open = self.bucket(&container)?;
        Ok(Ok(self.table.push(ObjectNames { open, names: VecDeque::new(), after: None, complete: false })?))
    }
    async fn delete_object(&mut self, container: Resource<Container>, name: String) -> Answered<(), String> {
        let open = self.bucket(&container)?;
        self.delete_all(&open, vec![name]).await
    }
    async fn delete_objects(&mut self, container: Resource<Container>, names: Vec<String>) -> Answered<(), String> {
        let open = self.bucket(&container)?;
        self.delete_all(&open, names).await
    }
    async fn has_object(&mut self, container: Resource<Container>, name: String) -> Answered<bool, String> {
        let open = self.bucket(&container)?;
        let found = self.asked(open.objects.head(&open.bucket, &name, None)).await?;
        Ok(found.map(|found| found.is_some()).map_err(words))
    }
    async fn object_info(&mut self, container: Resource<Container>, name: String) -> Answered<ObjectMetadata, String> {
        let (called, open) = (self.table.get(&container)?.name.clone(), self.bucket(&container)?);
        let found = self.asked(open.objects.head(&open.bucket, &name, None)).await?;
        Ok(found.map_err(words).and_then(|found| {
            let info = found.ok_or_else(|| no_object(&name))?;
            let created_at = info.modified.unix_ms() / 1_000;
            Ok(ObjectMetadata { name, container: called, created_at, size: info.bytes })
        }))
    }
    async fn clear(&mut self, container: Resource<Container>) -> Answered<(), String> {
        let open = self.bucket(&container)?;
        let mut after = None;
        loop {
            let (names, next) = match self.page(&open, after).await? {
                Ok(page) => page,
                Err(failed) => return Ok(Err(failed)),
            };
            if let Err(failed) = self.delete_all(&open, names).await? {
                return Ok(Err(failed));
            }
            after = next;
            if after.is_none() {
                return Ok(Ok(()));
            }
        }
    }
    fn drop(&mut self, container: Resource<Container>) -> wasmtime::Result<()> {
        self.table.delete(container)?;
        Ok(())
    }
}

impl container::HostStreamObjectNames for Host {
    async fn read_stream_object_names(
        &mut self,
        names: Resource<ObjectNames>,
        len: u64,
    ) -> Answered<(Vec<String>, bool), String> {
        self.take_names(&names, len).await
    }
    async fn skip_stream_object_names(&mut self, names: Resource<ObjectNames>, num: u64) -> Answered<(u64, bool), String> {
        let taken = self.take_names(&names, num).await?;
        Ok(taken.map(|(names, end)| (names.len() as u64, end)))
    }
    fn drop(&mut self, names: Resource<ObjectNames>) -> wasmtime::Result<()> {
        self.table.delete(names)?;
        Ok(())
    }
}
