//! Stores whose suites need more than functions may do: what a function may do goes through its scope, the rest to the store behind it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use ports::{
    Body, Objects, Queue, StoreError,
    scope::{OpenBucket, OpenQueue},
};
use types::{
    Cause, Timestamp,
    kv::IdempotencyKey,
    object::{
        BucketConfig, BucketName, ByteRange, ObjectAttributes, ObjectInfo, ObjectPage, ObjectQuery, Part, PutOptions, Upload,
        VersionId,
    },
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, QueueName, QueueStats, Receipt, Settled},
};

pub(crate) struct SplitQueue {
    pub(crate) inner: Arc<dyn Queue>,
    pub(crate) fronts: [OpenQueue; 3],
}

/// The one difference that there is to be: messages say what sent them, the first of its chain here. The suite's own causes stay.
fn forget_cause(message: &mut Message) {
    message.cause = message.cause.filter(|cause| cause.depth != 1);
}

#[async_trait]
impl Queue for SplitQueue {
    /// Functions name neither a key for repetitions nor a cause: the platform does.
    async fn enqueue(
        &self,
        queue: &QueueName,
        messages: Vec<Message>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let is_functions = idempotency.is_none() && messages.iter().all(|message| message.cause.is_none());
        match self.fronts.iter().find(|front| is_functions && front.name == *queue) {
            Some(front) => front.queue.enqueue(queue, messages, None).await,
            None => self.inner.enqueue(queue, messages, idempotency).await,
        }
    }
    async fn claim(&self, queue: &QueueName, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, StoreError> {
        let mut taken = self.inner.claim(queue, max, lease, wait).await?;
        taken.iter_mut().for_each(|delivery| forget_cause(&mut delivery.message));
        Ok(taken)
    }
    async fn ack(&self, queue: &QueueName, receipts: &[Receipt]) -> Result<Vec<Settled>, StoreError> {
        self.inner.ack(queue, receipts).await
    }
    async fn extend(&self, queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Result<Vec<Settled>, StoreError> {
        self.inner.extend(queue, receipts, lease).await
    }
    async fn nack(&self, queue: &QueueName, receipts: &[Receipt], delay: Duration) -> Result<Vec<Settled>, StoreError> {
        self.inner.nack(queue, receipts, delay).await
    }
    async fn bury(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        dead: &QueueName,
        reason: &str,
    ) -> Result<Vec<Settled>, StoreError> {
        self.inner.bury(queue, receipts, dead, reason).await
    }
    async fn redrive(&self, dead: &QueueName, max: usize) -> Result<u64, StoreError> {
        self.inner.redrive(dead, max).await
    }
    async fn peek(&self, queue: &QueueName, after: Option<MessageId>, max: usize) -> Result<Vec<Peeked>, StoreError> {
        let mut seen = self.inner.peek(queue, after, max).await?;
        seen.iter_mut().for_each(|peeked| forget_cause(&mut peeked.message));
        Ok(seen)
    }
    async fn purge(&self, queue: &QueueName) -> Result<u64, StoreError> {
        self.inner.purge(queue).await
    }
    async fn queues(&self, prefix: &str, after: Option<&QueueName>, max: usize) -> Result<Vec<QueueName>, StoreError> {
        self.inner.queues(prefix, after, max).await
    }
    async fn retain(&self, queue: &QueueName, retention: Duration) -> Result<(), StoreError> {
        self.inner.retain(queue, retention).await
    }
    async fn stats(&self, queue: &QueueName) -> Result<QueueStats, StoreError> {
        self.inner.stats(queue).await
    }
}

pub(crate) struct SplitObjects {
    pub(crate) inner: Arc<dyn Objects>,
    pub(crate) fronts: [OpenBucket; 2],
}

impl SplitObjects {
    fn of(&self, bucket: &BucketName) -> &dyn Objects {
        let front = self.fronts.iter().find(|front| front.bucket == *bucket);
        front.map_or(&*self.inner, |front| &*front.objects)
    }
}

#[async_trait]
impl Objects for SplitObjects {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<bool, StoreError> {
        self.of(bucket).create_bucket(bucket).await
    }
    /// Functions name no checksums.
    async fn put(&self, bucket: &BucketName, key: &str, body: Body, options: PutOptions) -> Result<ObjectInfo, StoreError> {
        if options.checksums.is_empty() { self.of(bucket) } else { &*self.inner }.put(bucket, key, body, options).await
    }
    async fn head(&self, bucket: &BucketName, key: &str, version: Option<&VersionId>) -> Result<Option<ObjectInfo>, StoreError> {
        self.of(bucket).head(bucket, key, version).await
    }
    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Option<(ObjectInfo, Body)>, StoreError> {
        self.of(bucket).get(bucket, key, version, range).await
    }
    async fn delete(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        cause: Option<Cause>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        self.of(bucket).delete(bucket, key, version, cause).await
    }
    async fn copy(
        &self,
        source: (&BucketName, &str, Option<&VersionId>),
        target: (&BucketName, &str),
        attributes: Option<ObjectAttributes>,
        options: PutOptions,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        if source.0 == target.0 { self.of(target.0) } else { &*self.inner }.copy(source, target, attributes, options).await
    }
    async fn list(&self, bucket: &BucketName, query: ObjectQuery) -> Result<ObjectPage, StoreError> {
        self.of(bucket).list(bucket, query).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), StoreError> {
        self.inner.delete_bucket(bucket).await
    }
    async fn buckets(&self, prefix: &str) -> Result<Vec<(BucketName, Timestamp)>, StoreError> {
        self.inner.buckets(prefix).await
    }
    async fn config(&self, bucket: &BucketName) -> Result<Option<BucketConfig>, StoreError> {
        self.inner.config(bucket).await
    }
    async fn configure(&self, bucket: &BucketName, config: BucketConfig) -> Result<(), StoreError> {
        self.inner.configure(bucket, config).await
    }
    async fn tag(
        &self,
        bucket: &BucketName,
        key: &str,
        version: Option<&VersionId>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        self.inner.tag(bucket, key, version, tags).await
    }
    async fn list_versions(
        &self,
        bucket: &BucketName,
        query: ObjectQuery,
        after_version: Option<&VersionId>,
    ) -> Result<ObjectPage, StoreError> {
        self.inner.list_versions(bucket, query, after_version).await
    }
    async fn begin_upload(&self, bucket: &BucketName, key: &str, attributes: ObjectAttributes) -> Result<Upload, StoreError> {
        self.inner.begin_upload(bucket, key, attributes).await
    }
    async fn put_part(
        &self,
        bucket: &BucketName,
        upload: &str,
        number: u32,
        body: Body,
        checksums: Vec<(String, String)>,
    ) -> Result<Part, StoreError> {
        self.inner.put_part(bucket, upload, number, body, checksums).await
    }
    async fn parts(&self, bucket: &BucketName, upload: &str, after: u32, max: usize) -> Result<(Upload, Vec<Part>), StoreError> {
        self.inner.parts(bucket, upload, after, max).await
    }
    async fn complete_upload(
        &self,
        bucket: &BucketName,
        upload: &str,
        parts: &[(u32, String)],
        options: PutOptions,
    ) -> Result<ObjectInfo, StoreError> {
        self.inner.complete_upload(bucket, upload, parts, options).await
    }
    async fn abort_upload(&self, bucket: &BucketName, upload: &str) -> Result<(), StoreError> {
        self.inner.abort_upload(bucket, upload).await
    }
    async fn uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<(&str, &str)>,
        max: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        self.inner.uploads(bucket, prefix, after, max).await
    }
    async fn sweep(&self) -> Result<u64, StoreError> {
        self.inner.sweep().await
    }
}
