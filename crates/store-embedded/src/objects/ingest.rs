//! Bytes on their way in: small ones are gathered, larger ones go to a file in chunks while the next chunk arrives. Hashing and writing
//! a chunk happen at once on two threads that may block, so that the slower of them sets the pace, and memory holds three chunks.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use md5::{Digest as _, Md5};
use ports::{Body, BodyError, StoreError, body::trailing_checksums};
use tokio::task::JoinHandle;
use types::limits;

use super::{
    block::Writer,
    files::{Files, Temporary},
    row::{Content, Piece},
};

/// Up to so many bytes an object lies in a row: one fsync makes it and all else in the batch durable, where a file takes two more.
pub(super) const INLINE: usize = 64 * 1024;
/// What is hashed and written at once.
const CHUNK: usize = 512 * 1024;

/// A body that was read to its end, and lies where nobody sees it yet.
pub(super) struct Ingested {
    pub(super) bytes: u64,
    pub(super) md5: [u8; 16],
    /// What its trailers said.
    pub(super) checksums: Vec<(String, String)>,
    pub(super) stored: Stored,
}

pub(super) enum Stored {
    Memory(Bytes),
    /// Durable, and removed with this unless it is kept.
    File(Piece, Temporary),
}

impl Stored {
    /// For the row of an object.
    pub(super) fn content(&self) -> Content {
        match self {
            Self::Memory(bytes) => Content::Row(bytes.clone()),
            Self::File(piece, _) => Content::Files(vec![*piece]),
        }
    }
}

/// Reads a body. Up to `inline` bytes stay in memory.
pub(super) async fn read(files: &Arc<Files>, body: Body, inline: usize) -> Result<Ingested, StoreError> {
    match body {
        Body::Empty if inline > 0 => Ok(in_memory(Bytes::new(), vec![])),
        Body::Whole(bytes) if bytes.len() <= inline && inline > 0 => Ok(in_memory(bytes, vec![])),
        Body::Whole(bytes) => {
            let mut sink = Sink::open(files)?;
            let mut rest = bytes;
            while rest.len() > CHUNK {
                sink.push(rest.split_to(CHUNK)).await?;
            }
            sink.push(rest).await?;
            sink.finish(vec![]).await
        }
        body => stream(files, body, inline).await,
    }
}

fn in_memory(bytes: Bytes, checksums: Vec<(String, String)>) -> Ingested {
    let md5 = Md5::digest(&bytes).into();
    Ingested { bytes: bytes.len() as u64, md5, checksums, stored: Stored::Memory(bytes) }
}

async fn stream(files: &Arc<Files>, mut body: Body, inline: usize) -> Result<Ingested, StoreError> {
    let (mut checksums, mut total, mut sink) = (Vec::new(), 0_u64, None);
    let mut gathered = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(error, total))?;
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                checksums.extend(frame.trailers_ref().map(trailing_checksums).unwrap_or_default());
                continue;
            }
        };
        total += data.len() as u64;
        within("object", total, limits::OBJECT_WHOLE)?;
        while gathered.len() + data.len() >= CHUNK {
            // Copied, since a piece may keep a much larger buffer of its sender alive.
            gathered.extend_from_slice(&data.split_to(CHUNK - gathered.len()));
            let chunk = std::mem::replace(&mut gathered, BytesMut::with_capacity(CHUNK)).freeze();
            let open = match sink.take() {
                Some(sink) => sink,
                None => Sink::open(files)?,
            };
            sink.insert(open).push(chunk).await?;
        }
        gathered.extend_from_slice(&data);
    }
    let bytes = gathered.freeze();
    match sink {
        None if bytes.len() <= inline && inline > 0 => Ok(in_memory(bytes, checksums)),
        sink => {
            let mut sink = match sink {
                Some(sink) => sink,
                None => Sink::open(files)?,
            };
            sink.push(bytes).await?;
            sink.finish(checksums).await
        }
    }
}

pub(super) fn within(what: &'static str, measured: u64, allowed: types::ByteCount) -> Result<(), StoreError> {
    let allowed = allowed.0;
    if measured > allowed { Err(StoreError::TooLarge { what, measured, allowed }) } else { Ok(()) }
}

fn broken(error: BodyError, measured: u64) -> StoreError {
    match error {
        BodyError::TooLarge { allowed } => StoreError::TooLarge { what: "object", measured, allowed },
        error => StoreError::Failed(format!("the body broke off: {error}")),
    }
}

/// A file that is being written and hashed.
struct Sink {
    hash: JoinHandle<Md5>,
    write: JoinHandle<Result<Writer, StoreError>>,
}

impl Sink {
    fn open(files: &Arc<Files>) -> Result<Self, StoreError> {
        files.stop.check()?;
        let files = files.clone();
        let write = tokio::task::spawn_blocking(move || files.create().map(Writer::new));
        Ok(Self { hash: tokio::task::spawn_blocking(Md5::new), write })
    }

    /// Waits for the chunk before, and begins with this one.
    async fn push(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        let (mut hash, mut writer) = (joined((&mut self.hash).await)?, joined((&mut self.write).await)??);
        let hashed = chunk.clone();
        self.hash = tokio::task::spawn_blocking(move || {
            hash.update(&hashed);
            hash
        });
        self.write = tokio::task::spawn_blocking(move || writer.write(&chunk).map(|()| writer));
        Ok(())
    }

    async fn finish(self, checksums: Vec<(String, String)>) -> Result<Ingested, StoreError> {
        let Self { hash, write } = self;
        let writer = joined(write.await)??;
        let (bytes, temporary) = joined(tokio::task::spawn_blocking(|| writer.finish()).await)??;
        let md5 = joined(hash.await)?.finalize().into();
        let piece = Piece { file: temporary.id, bytes };
        Ok(Ingested { bytes, md5, checksums, stored: Stored::File(piece, temporary) })
    }
}

fn joined<T>(outcome: Result<T, tokio::task::JoinError>) -> Result<T, StoreError> {
    outcome.map_err(|error| StoreError::Failed(format!("a file task did not finish: {error}")))
}
