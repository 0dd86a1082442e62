//! Buckets: functions read, write, list and remove objects. What they do happens at once: no unit spans it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use ports::{Body, Objects, StoreError};
use types::{
    Cause, Timestamp,
    journal::{BucketCall, Operation, Reply},
    object::{
        BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectInfo, ObjectPage, ObjectQuery, Part, PutOptions, Upload,
        VersionId,
    },
};

use super::{
    counted::{self, CountedBody},
    live::Pen,
    service::{Granted, Service, another_kind, not_for_functions},
};

/// A bucket as a runtime sees it.
pub(crate) struct Front {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) name: String,
    pub(crate) bucket: BucketName,
}

impl Front {
    async fn ask(&self, bucket: &BucketName, call: BucketCall, body: Body) -> Result<(Reply, Body), StoreError> {
        if *bucket != self.bucket {
            return Err(StoreError::Denied("this is another bucket than the one that was opened".into()));
        }
        self.service.call(Operation::Bucket { bucket: self.name.clone(), call }, body).await
    }
    async fn object(&self, bucket: &BucketName, call: BucketCall, body: Body) -> Result<(Option<ObjectInfo>, Body), StoreError> {
        match self.ask(bucket, call, body).await? {
            (Reply::Object(found), body) => Ok((found, body)),
            _ => another_kind(),
        }
    }
}

#[async_trait]
impl Objects for Front {
    async fn put(&self, bucket: &BucketName, key: &str, body: Body, options: PutOptions) -> Result<ObjectInfo, StoreError> {
        let PutOptions { attributes, condition, cause: _, checksums: _ } = options;
        let call = BucketCall::Put { key: key.to_owned(), attributes, condition };
        self.object(bucket, call, body).await?.0.map_or_else(another_kind, Ok)
    }
    async fn head(&self, bucket: &BucketName, key: &str, version: Option<&VersionId>) -> Result<Option<ObjectInfo>, StoreError> {
        let call = BucketCall::Head { key: key.to_owned(), version: version.cloned() };
        Ok(self.object(bucket, call, Body::Empty).await?.0)
    }
    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Option<(ObjectInfo, Body)>, StoreError> {
        let call = BucketCall::Get { key: key.to_owned(), version: version.cloned(), range };
        let (found, body) = self.object(bucket, call, Body::Empty).await?;
        Ok(found.map(|info| (info, body)))
    }
    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        _: Option<Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let call = BucketCall::Delete { key: key.to_owned(), version: version.cloned() };
        Ok(self.object(bucket, call, Body::Empty).await?.0)
    }
    async fn copy(
        &self,
        source: (&BucketName, &str, Option<&VersionId>),
        target: (&BucketName, &str),
        attributes: Option<ObjectAttributes>,
        options: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        if source.0 != target.0 {
            return not_for_functions("copying from one bucket to another");
        }
        let (from, version, key) = (source.1.to_owned(), source.2.cloned(), target.1.to_owned());
        let call = BucketCall::Copy { from, version, key, attributes, condition: options.condition };
        Ok(self.object(target.0, call, Body::Empty).await?.0)
    }
    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError> {
        match self.ask(bucket, BucketCall::List(query), Body::Empty).await?.0 {
            Reply::ObjectPage(page) => Ok(page),
            _ => another_kind(),
        }
    }
    /// Only the bucket itself, if it is there.
    async fn buckets(&self, _: &str) -> Result<Vec<(BucketName, Timestamp)>, StoreError> {
        match self.ask(&self.bucket, BucketCall::Created, Body::Empty).await?.0 {
            Reply::BucketCreated(made) => Ok(made.into_iter().map(|at| (self.bucket.clone(), at)).collect()),
            _ => another_kind(),
        }
    }
    async fn create_bucket(&self, bucket: &BucketName) -> Result<bool, StoreError> {
        match self.ask(bucket, BucketCall::Create, Body::Empty).await?.0 {
            Reply::BucketMade(is_new) => Ok(is_new),
            _ => another_kind(),
        }
    }

    async fn delete_bucket(&self, _: &BucketName) -> Result<(), StoreError> {
        not_for_functions("removing buckets")
    }
    async fn config(&self, _: &BucketName) -> Result<Option<BucketConfig>, StoreError> {
        not_for_functions("looking at settings")
    }
    async fn configure(&self, _: &BucketName, _: BucketConfig) -> Result<(), StoreError> {
        not_for_functions("changing settings")
    }
    async fn tag(
        &self,
        _: &BucketName,
        _: &str,
        _: Option<&VersionId>,
        _: BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        not_for_functions("changing tags")
    }
    async fn list_versions(&self, _: &BucketName, _: ObjectQuery, _: Option<&VersionId>) -> Result<ObjectPage, StoreError> {
        not_for_functions("listing versions")
    }
    async fn begin_upload(&self, _: &BucketName, _: &str, _: ObjectAttributes) -> Result<Upload, StoreError> {
        not_for_functions("writing in parts")
    }
    async fn put_part(&self, _: &BucketName, _: &str, _: u32, _: Body, _: Vec<(String, String)>) -> Result<Part, StoreError> {
        not_for_functions("writing in parts")
    }
    async fn parts(&self, _: &BucketName, _: &str, _: u32, _: usize) -> Result<(Upload, Vec<Part>), StoreError> {
        not_for_functions("writing in parts")
    }
    async fn complete_upload(
        &self,
        _: &BucketName,
        _: &str,
        _: &[(u32, String)],
        _: PutOptions,
    ) -> Result<ObjectInfo, StoreError> {
        not_for_functions("writing in parts")
    }
    async fn abort_upload(&self, _: &BucketName, _: &str) -> Result<(), StoreError> {
        not_for_functions("writing in parts")
    }
    async fn uploads(&self, _: &BucketName, _: &str, _: Option<(&str, &str)>, _: usize) -> Result<Vec<Upload>, StoreError> {
        not_for_functions("writing in parts")
    }
    async fn sweep(&self) -> Result<u64, StoreError> {
        not_for_functions("sweeping buckets")
    }
}

/// The real bucket, under a grant.
pub(crate) struct Live {
    pub(crate) granted: Granted,
    /// Counts what bodies carry.
    pub(crate) pen: Arc<Pen>,
}

#[async_trait]
impl Service for Live {
    async fn call(&self, operation: Operation, body: Body) -> Result<(Reply, Body), StoreError> {
        let Operation::Bucket { bucket, call } = operation else { return another_kind() };
        let Granted { services, function, cause, .. } = &self.granted;
        let (objects, cause) = (&services.objects, Some(*cause));
        let bucket = BucketName::of(&function.key.app, &function.key.env, &bucket);
        let options = |condition, attributes| PutOptions { attributes, condition, cause, checksums: Vec::new() };
        let counted = |body| CountedBody::wrap(body, &self.pen, counted::bucket);
        let mut given = Body::Empty;
        let reply = match call {
            BucketCall::Head { key, version } => Reply::Object(objects.head(&bucket, &key, version.as_ref()).await?),
            BucketCall::Get { key, version, range } => {
                let found = objects.get(&bucket, &key, version.as_ref(), range).await?;
                Reply::Object(found.map(|(info, body)| {
                    given = counted(body);
                    info
                }))
            }
            BucketCall::Put { key, attributes, condition } => {
                self.granted.writes()?;
                let written = objects.put(&bucket, &key, counted(body), options(condition, attributes)).await?;
                Reply::Object(Some(written))
            }
            BucketCall::Delete { key, version } => {
                self.granted.writes()?;
                Reply::Object(objects.delete(&bucket, &key, version.as_ref(), cause).await?)
            }
            BucketCall::Copy { from, version, key, attributes, condition } => {
                self.granted.writes()?;
                let source = (&bucket, from.as_str(), version.as_ref());
                let options = options(condition, ObjectAttributes::default());
                Reply::Object(objects.copy(source, (&bucket, &key), attributes, options).await?)
            }
            BucketCall::List(query) => Reply::ObjectPage(objects.list(&bucket, query).await?),
            BucketCall::Created => {
                let all = objects.buckets(&bucket.0).await?;
                Reply::BucketCreated(all.into_iter().find(|(name, _)| *name == bucket).map(|(_, made)| made))
            }
            BucketCall::Create => {
                self.granted.writes()?;
                Reply::BucketMade(objects.create_bucket(&bucket).await?)
            }
        };
        Ok((reply, given))
    }
}
