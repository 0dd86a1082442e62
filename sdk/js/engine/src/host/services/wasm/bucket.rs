//! `wasi:blobstore`.

use crate::host::{
    http_types::Written,
    services::{Answer, Failed, ObjectInfo, Page},
    wasm::{
        bindings::wasi::{
            blobstore::{blobstore, container, types},
            io::streams::{OutputStream, StreamError},
        },
        http::Body,
    },
};

/// Names that are asked for at once.
const PAGE: u64 = 256;
/// How the platform says that an object is not there: the interface has words only.
const NO_OBJECT: &str = "no such object";

/// An open bucket.
pub(crate) struct Bucket(container::Container);

/// An object that is written. Fields drop in their order: a stream belongs to its value.
pub(crate) struct Writing {
    stream: OutputStream,
    value: types::OutgoingValue,
}

/// Opens a bucket.
pub(crate) fn open(name: &str) -> Answer<Bucket> {
    blobstore::get_container(name).map(Bucket).map_err(Failed::words)
}

fn found<T>(result: Result<T, String>) -> Answer<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(text) if text.starts_with(NO_OBJECT) => Ok(None),
        Err(text) => Err(Failed::words(text)),
    }
}

impl Bucket {
    /// An object's bytes from the first to the last, both included, and how many that are; none if it is not there.
    pub(crate) fn get(&self, key: &str, first: u64, last: u64) -> Answer<Option<(Body, u64)>> {
        let Some(value) = found(self.0.get_data(key, first, last))? else { return Ok(None) };
        let bytes = value.size();
        let stream = types::IncomingValue::incoming_value_consume_async(value).map_err(Failed::words)?;
        Ok(Some((Body::of_stream(stream), bytes)))
    }
    /// What is known of an object; none if it is not there.
    pub(crate) fn info(&self, key: &str) -> Answer<Option<ObjectInfo>> {
        let info = found(self.0.object_info(key))?;
        Ok(info.map(|info| ObjectInfo { bytes: info.size, written_s: info.created_at }))
    }
    /// Whether an object is there.
    pub(crate) fn has(&self, key: &str) -> Answer<bool> {
        self.0.has_object(key).map_err(Failed::words)
    }
    /// Removes objects.
    pub(crate) fn delete(&self, keys: &[String]) -> Answer<()> {
        self.0.delete_objects(keys).map_err(Failed::words)
    }
    /// Names that begin with `prefix` and come behind `after`, at most so many. The interface only tells all of them from the first.
    pub(crate) fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Answer<Page> {
        let listing = self.0.list_objects().map_err(Failed::words)?;
        let mut page = Page::default();
        loop {
            let (names, is_end) = listing.read_stream_object_names(PAGE).map_err(Failed::words)?;
            for name in names {
                if after.is_some_and(|after| name.as_str() <= after) || name.as_str() < prefix {
                    continue;
                }
                if !name.starts_with(prefix) {
                    return Ok(Page { is_last: true, ..page });
                }
                if page.names.len() == limit {
                    return Ok(page);
                }
                page.names.push(name);
            }
            if is_end {
                return Ok(Page { is_last: true, ..page });
            }
        }
    }
    /// Begins to write an object.
    pub(crate) fn put(&self, key: &str) -> Answer<Writing> {
        let value = types::OutgoingValue::new_outgoing_value();
        let stream = value.outgoing_value_write_body().expect("the stream is taken once");
        self.0.write_data(key, &value).map_err(Failed::words)?;
        Ok(Writing { stream, value })
    }
}

/// Copies or moves an object.
pub(crate) fn copy(from: (&str, &str), to: (&str, &str), moves: bool) -> Answer<()> {
    let id = |(bucket, key): (&str, &str)| types::ObjectId { container: bucket.to_owned(), object: key.to_owned() };
    let (from, to) = (id(from), id(to));
    if moves { blobstore::move_object(&from, &to) } else { blobstore::copy_object(&from, &to) }.map_err(Failed::words)
}

impl Writing {
    /// Takes some of the bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Written {
        let room = match self.stream.check_write() {
            Ok(0) => return Written::Wait(self.stream.subscribe().into()),
            Ok(room) => room,
            Err(error) => return closed(error),
        };
        let count = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        match self.stream.write(&bytes[..count]) {
            Ok(()) => Written::Taken(count),
            Err(error) => closed(error),
        }
    }
    /// Makes it an object.
    pub(crate) fn finish(self) -> Answer<()> {
        let Self { stream, value } = self;
        drop(stream);
        types::OutgoingValue::finish(value).map_err(Failed::words)
    }
}

fn closed(error: StreamError) -> Written {
    match error {
        StreamError::Closed => Written::Closed("the store takes no more".to_owned()),
        StreamError::LastOperationFailed(error) => Written::Closed(error.to_debug_string()),
    }
}
