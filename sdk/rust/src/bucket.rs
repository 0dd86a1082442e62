//! The app's buckets of objects. Bytes stream: neither reading nor writing holds an object in memory.
//!
//! ```no_run
//! use dayfly::bucket;
//!
//! # fn main() -> Result<(), dayfly::Error> {
//! let photos = bucket::open("photos")?;
//! photos.write("small.txt", "some bytes")?;
//! let mut big = photos.get("big.raw")?;
//! photos.put("copy.raw", &mut big)?;
//! # Ok(())
//! # }
//! ```

use std::io::{self, Read, Write};

use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::{
    Error,
    bindings::blobstore::{blobstore, container, types},
};

pub use container::ObjectMetadata as Info;

const CHUNK: usize = 64 << 10;

/// An open bucket.
pub struct Bucket {
    name: String,
    container: container::Container,
}

/// Opens a bucket by its name in the manifest: `bucket.photos` is `photos`.
pub fn open(name: &str) -> Result<Bucket, Error> {
    let container = blobstore::get_container(name).map_err(Error::words)?;
    Ok(Bucket { name: name.to_owned(), container })
}

impl Bucket {
    /// Writes an object from what a reader gives; gives its size.
    pub fn put(&self, name: &str, mut from: impl Read) -> Result<u64, Error> {
        self.write_with(name, |body| copy(&mut from, body))
    }
    /// Writes an object of these bytes.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        self.write_with(name, |body| body.write_all(bytes.as_ref()))
    }
    fn write_with<T>(&self, name: &str, fill: impl FnOnce(&mut Writer) -> io::Result<T>) -> Result<T, Error> {
        let value = types::OutgoingValue::new_outgoing_value();
        let body = value.outgoing_value_write_body().map_err(|()| Error::other("the body was taken before"))?;
        self.container.write_data(name, &value).map_err(Error::words)?;
        let mut body = Writer(body);
        let filled = fill(&mut body);
        drop(body);
        let is_whole = match &filled {
            Ok(_) => true,
            // The store stopped reading, and knows better than the stream why.
            Err(error) => error.kind() == io::ErrorKind::BrokenPipe,
        };
        if is_whole {
            types::OutgoingValue::finish(value).map_err(Error::words)?;
        }
        Ok(filled?)
    }
    /// An object, to be read.
    pub fn get(&self, name: &str) -> Result<Object, Error> {
        self.range(name, 0, u64::MAX)
    }
    /// A part of an object: from the first byte to the last, both included.
    pub fn range(&self, name: &str, first: u64, last: u64) -> Result<Object, Error> {
        let value = self.container.get_data(name, first, last).map_err(Error::words)?;
        let bytes = value.size();
        let stream = types::IncomingValue::incoming_value_consume_async(value).map_err(Error::words)?;
        Ok(Object { bytes, stream })
    }
    /// All bytes of an object, at most 16 MiB.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let value = self.container.get_data(name, 0, u64::MAX).map_err(Error::words)?;
        types::IncomingValue::incoming_value_consume_sync(value).map_err(Error::words)
    }
    /// What is known of an object.
    pub fn info(&self, name: &str) -> Result<Info, Error> {
        self.container.object_info(name).map_err(Error::words)
    }
    /// Whether there is such an object.
    pub fn has(&self, name: &str) -> Result<bool, Error> {
        self.container.has_object(name).map_err(Error::words)
    }
    /// Removes an object; nothing happens if it is not there.
    pub fn delete(&self, name: &str) -> Result<(), Error> {
        self.container.delete_object(name).map_err(Error::words)
    }
    /// Removes every object.
    pub fn clear(&self) -> Result<(), Error> {
        self.container.clear().map_err(Error::words)
    }
    /// The names of all objects, in order, as they are asked for.
    pub fn names(&self) -> Result<Names, Error> {
        let names = self.container.list_objects().map_err(Error::words)?;
        Ok(Names { names, page: Vec::new().into_iter(), complete: false })
    }
    /// Copies an object to a name in this or another bucket.
    pub fn copy(&self, name: &str, to: &Bucket, target: &str) -> Result<(), Error> {
        blobstore::copy_object(&self.id(name), &to.id(target)).map_err(Error::words)
    }
    /// Moves an object to a name in this or another bucket.
    pub fn rename(&self, name: &str, to: &Bucket, target: &str) -> Result<(), Error> {
        blobstore::move_object(&self.id(name), &to.id(target)).map_err(Error::words)
    }
    fn id(&self, object: &str) -> blobstore::ObjectId {
        blobstore::ObjectId { container: self.name.clone(), object: object.to_owned() }
    }
}

/// An object that is being read.
pub struct Object {
    /// How many bytes there are.
    pub bytes: u64,
    stream: InputStream,
}

impl Read for Object {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read(&self.stream, into)
    }
}

/// The names of a bucket's objects.
pub struct Names {
    names: container::StreamObjectNames,
    page: std::vec::IntoIter<String>,
    complete: bool,
}

impl Iterator for Names {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(name) = self.page.next() {
                return Some(Ok(name));
            }
            if self.complete {
                return None;
            }
            match self.names.read_stream_object_names(256) {
                Ok((page, end)) => (self.page, self.complete) = (page.into_iter(), end),
                Err(error) => {
                    self.complete = true;
                    return Some(Err(Error::words(error)));
                }
            }
        }
    }
}

pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let (mut chunk, mut copied) = (vec![0; CHUNK], 0);
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok(copied),
            count => {
                to.write_all(&chunk[..count])?;
                copied += count as u64;
            }
        }
    }
}

pub(crate) fn read(stream: &InputStream, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.blocking_read(into.len() as u64) {
            Ok(bytes) if bytes.is_empty() && !into.is_empty() => {}
            Ok(bytes) => {
                into[..bytes.len()].copy_from_slice(&bytes);
                return Ok(bytes.len());
            }
            Err(StreamError::Closed) => return Ok(0),
            Err(StreamError::LastOperationFailed(error)) => return Err(io::Error::other(error.to_debug_string())),
        }
    }
}

/// A stream that is written to as far as there is room, and waited for when there is none.
pub(crate) struct Writer(pub(crate) OutputStream);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.check_write().map_err(broken)? {
                0 => self.0.subscribe().block(),
                room => {
                    let count = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
                    self.0.write(&bytes[..count]).map_err(broken)?;
                    return Ok(count);
                }
            }
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.blocking_flush().map_err(broken)
    }
}

fn broken(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
    }
}
