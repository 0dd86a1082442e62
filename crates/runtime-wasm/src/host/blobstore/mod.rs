//! `wasi:blobstore`: containers are the app's buckets. [`container`] has them and what is in them, [`values`] the bytes on their way.
//!
//! Bytes stream both ways in constant memory. A bucket exists because the manifest names it, so getting one asks nobody.

mod container;
mod values;

use ports::{StoreError, objects::PutOptions};
use types::{journal::Failure, limits};
use wasmtime::component::Resource;

pub use self::{
    container::{Container, ObjectNames},
    values::{IncomingValue, OutgoingValue},
};
use super::{
    Host,
    bindings::wasi::blobstore::blobstore::{self, ObjectId},
    store::Answered,
};

/// How the interface tells a failure: in words alone.
fn words(error: StoreError) -> String {
    match error {
        StoreError::Denied(text) => format!("access denied: {text}"),
        other => other.to_string(),
    }
}
fn denied(failure: Failure) -> String {
    format!("access denied: {}", failure.message)
}
fn no_object(name: &str) -> String {
    format!("no such object: {}", crate::backtrace::printable(name, limits::OBJECT_KEY.as_usize()))
}

impl Host {
    /// Copies an object. Within a bucket the store does it; from one to another the bytes pass through here, never all at once.
    async fn copy(&mut self, source: &ObjectId, target: &ObjectId) -> Answered<(), String> {
        let (from, to) = match (self.scope.bucket(&source.container), self.scope.bucket(&target.container)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(failure), _) | (_, Err(failure)) => return Ok(Err(denied(failure))),
        };
        if source.container == target.container {
            let (source_at, target_at) = ((&from.bucket, source.object.as_str(), None), (&to.bucket, target.object.as_str()));
            let copied = self.asked(to.objects.copy(source_at, target_at, None, PutOptions::default())).await?;
            return Ok(copied.map_err(words).and_then(|copied| copied.map(drop).ok_or_else(|| no_object(&source.object))));
        }
        let (info, body) = match self.asked(from.objects.get(&from.bucket, &source.object, None, None)).await? {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Err(no_object(&source.object))),
            Err(error) => return Ok(Err(words(error))),
        };
        let options = PutOptions { attributes: info.attributes, ..PutOptions::default() };
        let put = self.asked(to.objects.put(&to.bucket, &target.object, body, options)).await?;
        Ok(put.map(drop).map_err(words))
    }
}

impl blobstore::Host for Host {
    async fn create_container(&mut self, name: String) -> Answered<Resource<Container>, String> {
        let open = match self.scope.bucket(&name) {
            Ok(open) => open,
            Err(failure) => return Ok(Err(denied(failure))),
        };
        match self.asked(open.objects.create_bucket(&open.bucket)).await? {
            Ok(_) => Ok(Ok(self.table.push(Container::new(name, open))?)),
            Err(error) => Ok(Err(words(error))),
        }
    }
    fn get_container(&mut self, name: String) -> Answered<Resource<Container>, String> {
        match self.scope.bucket(&name) {
            Ok(open) => Ok(Ok(self.table.push(Container::new(name, open))?)),
            Err(failure) => Ok(Err(denied(failure))),
        }
    }
    /// A bucket belongs to the manifest, and goes with it.
    fn delete_container(&mut self, name: String) -> Answered<(), String> {
        match self.scope.bucket(&name) {
            Ok(_) => Ok(Err(format!("bucket.{name} exists because the manifest names it: clear it instead"))),
            Err(failure) => Ok(Err(denied(failure))),
        }
    }
    fn container_exists(&mut self, name: String) -> Answered<bool, String> {
        Ok(self.scope.bucket(&name).map(|_| true).map_err(denied))
    }
    async fn copy_object(&mut self, source: ObjectId, target: ObjectId) -> Answered<(), String> {
        self.copy(&source, &target).await
    }
    /// Copies first: if it ends in between, the object is there twice and never gone.
    async fn move_object(&mut self, source: ObjectId, target: ObjectId) -> Answered<(), String> {
        if source.container == target.container && source.object == target.object {
            return Ok(Ok(()));
        }
        if let Err(failed) = self.copy(&source, &target).await? {
            return Ok(Err(failed));
        }
        match self.scope.bucket(&source.container) {
            Ok(from) => {
                let deleted = self.asked(from.objects.delete(&from.bucket, &source.object, None, None)).await?;
                Ok(deleted.map(drop).map_err(words))
            }
            Err(failure) => Ok(Err(denied(failure))),
        }
    }
}
