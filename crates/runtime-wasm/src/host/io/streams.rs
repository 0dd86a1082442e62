//! `wasi:io/streams`: the bytes of bodies, and standard output as log lines.
//!
//! How much a read gives and how much may be written depends on whoever is at the other end, so both are recorded. What a write does
//! is not: it was permitted before, and succeeds.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use ports::tape::Question;
use types::journal::Answer;
use wasmtime::component::Resource;

use super::{
    error::{IoError, StreamFailure},
    poll::Pollable,
};
use crate::{
    host::{
        Host,
        bindings::wasi::io::streams::{self, StreamError},
        client_gone,
        http::{
            body::{OutgoingBody, Side},
            error::body_from_text,
            incoming::IncomingBody,
            pipe::CAPACITY,
            source::Read,
        },
    },
    stop::Stop,
};

/// The most that one `blocking-write-…-and-flush` may write, by its interface.
const BLOCKING_WRITE_MAX: u64 = 4096;

/// Where bytes come from.
#[derive(Debug, Clone, Copy)]
pub enum InputStream {
    /// Standard input, which is closed.
    Closed,
    /// An `incoming-body`, by its index.
    Body(u32),
    /// A body that belongs to the stream alone, by its index.
    Value(u32),
}

impl InputStream {
    /// The body that it reads, if it is open.
    fn body(self) -> Option<u32> {
        match self {
            Self::Closed => None,
            Self::Body(body) | Self::Value(body) => Some(body),
        }
    }
}

/// Where bytes go.
#[derive(Debug, Clone, Copy)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// An `outgoing-body`, by its index.
    Body(u32),
}

impl Host {
    /// Ready when the body gives bytes or its end.
    pub(super) fn poll_body(&mut self, body: u32, cx: &mut Context<'_>) -> Result<Poll<()>, Stop> {
        Ok(self.table.at_mut::<IncomingBody>(body)?.source.poll_readable(cx))
    }
    /// Ready with the bytes that the body takes, or `None` if its reader has gone or there will never be one.
    pub(super) fn poll_writable(&mut self, body: u32, cx: &mut Context<'_>) -> Result<Poll<Option<usize>>, Stop> {
        let body = self.table.at::<OutgoingBody>(body)?;
        Ok(if body.is_stuck() { Poll::Ready(None) } else { body.pipe.poll_writable(cx) })
    }

    /// # Errors
    /// If the body is full and nothing that the guest can wait for makes room.
    fn check_stuck(&self, body: u32) -> Result<(), StreamFailure> {
        if !self.table.at::<OutgoingBody>(body)?.is_stuck() {
            return Ok(());
        }
        Err(StreamFailure::Failed(IoError::other(format!("more than {CAPACITY} bytes before write-data has named an object"))))
    }

    /// Reads what is here now, perhaps nothing.
    fn read_at_once(&mut self, stream: &Resource<InputStream>, max: u64) -> Result<Bytes, StreamFailure> {
        let Some(body) = self.table.get(stream)?.body() else { return Err(StreamFailure::Closed) };
        match self.recall_read(max)? {
            Some(read) => self.received(body, read),
            None => self.read_now(body, max),
        }
    }
    async fn read_blocking(&mut self, stream: &Resource<InputStream>, max: u64) -> Result<Bytes, StreamFailure> {
        match self.table.get(stream)?.body() {
            Some(body) => self.read_waiting(body, max).await,
            None => Err(StreamFailure::Closed),
        }
    }
    /// Reads once there is something.
    pub(in crate::host) async fn read_waiting(&mut self, body: u32, max: u64) -> Result<Bytes, StreamFailure> {
        if let Some(read) = self.recall_read(max)? {
            return self.received(body, read);
        }
        if max > 0 {
            self.wait(|host, cx| Ok(host.poll_body(body, cx)?)).await?;
        }
        self.read_now(body, max)
    }

    fn recall_read(&self, max: u64) -> Result<Option<Read>, StreamFailure> {
        Ok(self.scope.tape().recall(Question::Read { max })?.map(|answer| match answer {
            Answer::Read(bytes) => Read::Bytes(bytes),
            Answer::Broken(text) => Read::Broken(body_from_text(&text)),
            _ => Read::Closed,
        }))
    }

    /// Reads what is here, and records it.
    fn read_now(&mut self, body: u32, max: u64) -> Result<Bytes, StreamFailure> {
        let incoming = self.table.at_mut::<IncomingBody>(body)?;
        let read = match incoming.source.read(max) {
            Read::Broken(_) if incoming.failure_told => Read::Closed,
            read => read,
        };
        self.keep(|| match &read {
            Read::Bytes(bytes) => Answer::Read(bytes.clone()),
            Read::Closed => Answer::Closed,
            Read::Broken(error) => Answer::Broken(error.to_string()),
        });
        self.received(body, read)
    }

    /// Hands the guest what was read.
    fn received(&mut self, body: u32, read: Read) -> Result<Bytes, StreamFailure> {
        let incoming = self.table.at_mut::<IncomingBody>(body)?;
        match read {
            Read::Bytes(bytes) => {
                if incoming.of_request && !bytes.is_empty() {
                    self.scope.body_read(bytes.len() as u64);
                }
                Ok(bytes)
            }
            Read::Closed => Err(StreamFailure::Closed),
            Read::Broken(error) => {
                incoming.failure_told = true;
                Err(StreamFailure::Failed(IoError::of_body(&error, incoming.of_request)))
            }
        }
    }

    /// How much may be written, without waiting. Whatever it was, it is the permit for the next write.
    fn permit(&mut self, stream: &Resource<OutputStream>) -> Result<u64, StreamFailure> {
        let OutputStream::Body(body) = *self.table.get(stream)? else { return Ok(CAPACITY as u64) };
        self.check_stuck(body)?;
        let room = match self.scope.tape().recall(Question::Writable)? {
            Some(Answer::Writable(room)) => Some(room),
            Some(_) => None,
            None => {
                let room = match self.poll_writable(body, &mut Context::from_waker(Waker::noop()))? {
                    Poll::Ready(room) => room.map(|room| room as u64),
                    Poll::Pending => Some(0),
                };
                self.note_room(body, room)?;
                room
            }
        };
        let outgoing = self.table.at_mut::<OutgoingBody>(body)?;
        outgoing.permit = room.unwrap_or(0);
        room.ok_or(StreamFailure::Closed)
    }

    /// Records how much may be written. The guest whose client has gone is ended instead: nobody waits for its answer.
    fn note_room(&mut self, body: u32, room: Option<u64>) -> Result<(), StreamFailure> {
        if room.is_none() && self.table.at::<OutgoingBody>(body)?.side == Side::Response {
            return Err(client_gone().into());
        }
        self.keep(|| room.map_or(Answer::Closed, Answer::Writable));
        Ok(())
    }

    /// Waits for room. For a response that ends in only one way and needs no record; the reader of anything else may be gone.
    async fn wait_for_room(&mut self, body: u32) -> Result<(), StreamFailure> {
        self.check_stuck(body)?;
        let side = self.table.at::<OutgoingBody>(body)?.side;
        if side != Side::Response {
            match self.scope.tape().recall(Question::Writable)? {
                Some(Answer::Writable(_)) => return Ok(()),
                Some(_) => return Err(StreamFailure::Closed),
                None => {}
            }
        }
        let room = self.wait(|host, cx| Ok(host.poll_writable(body, cx)?)).await?.map(|room| room as u64);
        if side != Side::Response || room.is_none() {
            self.note_room(body, room)?;
        }
        room.map(|_| ()).ok_or(StreamFailure::Closed)
    }

    /// Writes what the guest was permitted to.
    fn write_permitted(&mut self, stream: &Resource<OutputStream>, chunk: Bytes) -> Result<(), StreamFailure> {
        if let OutputStream::Body(body) = *self.table.get(stream)? {
            let outgoing = self.table.at_mut::<OutgoingBody>(body)?;
            let (len, allowed) = (chunk.len() as u64, outgoing.permit);
            outgoing.permit = allowed.checked_sub(len).ok_or_else(|| not_permitted(len, allowed))?;
        }
        self.put(stream, chunk)
    }

    /// Waits for room and writes all of it.
    async fn write_all(&mut self, stream: &Resource<OutputStream>, chunk: Bytes) -> Result<(), StreamFailure> {
        if chunk.len() as u64 > BLOCKING_WRITE_MAX {
            return Err(not_permitted(chunk.len() as u64, BLOCKING_WRITE_MAX).into());
        }
        if let OutputStream::Body(body) = *self.table.get(stream)? {
            self.wait_for_room(body).await?;
        }
        self.put(stream, chunk)
    }

    fn put(&mut self, stream: &Resource<OutputStream>, chunk: Bytes) -> Result<(), StreamFailure> {
        match *self.table.get(stream)? {
            OutputStream::Stdout => self.stdout.write(&chunk, &*self.scope),
            OutputStream::Stderr => self.stderr.write(&chunk, &*self.scope),
            OutputStream::Body(body) => {
                let outgoing = self.table.at_mut::<OutgoingBody>(body)?;
                if outgoing.side == Side::Response && !chunk.is_empty() {
                    self.scope.body_written(&chunk);
                }
                outgoing.put(chunk)?;
            }
        }
        Ok(())
    }
}

#[cold]
fn not_permitted(len: u64, allowed: u64) -> Stop {
    Stop::Misuse(format!("wrote bytes {len}, allowed {allowed}"))
}

fn zeroes(len: u64) -> Result<Bytes, Stop> {
    if len > CAPACITY as u64 {
        return Err(not_permitted(len, CAPACITY as u64));
    }
    Ok(Bytes::from(vec![0; usize::try_from(len).unwrap_or(CAPACITY)]))
}

impl streams::Host for Host {
    fn convert_stream_error(&mut self, failure: StreamFailure) -> wasmtime::Result<StreamError> {
        Ok(match failure {
            StreamFailure::Closed => StreamError::Closed,
            StreamFailure::Failed(error) => StreamError::LastOperationFailed(self.table.push(error)?),
            StreamFailure::Ended(error) => return Err(error),
        })
    }
}

impl streams::HostInputStream for Host {
    fn read(&mut self, stream: Resource<InputStream>, len: u64) -> Result<Vec<u8>, StreamFailure> {
        self.read_at_once(&stream, len).map(Vec::from)
    }
    async fn blocking_read(&mut self, stream: Resource<InputStream>, len: u64) -> Result<Vec<u8>, StreamFailure> {
        self.read_blocking(&stream, len).await.map(Vec::from)
    }
    fn skip(&mut self, stream: Resource<InputStream>, len: u64) -> Result<u64, StreamFailure> {
        self.read_at_once(&stream, len).map(|bytes| bytes.len() as u64)
    }
    async fn blocking_skip(&mut self, stream: Resource<InputStream>, len: u64) -> Result<u64, StreamFailure> {
        self.read_blocking(&stream, len).await.map(|bytes| bytes.len() as u64)
    }
    fn subscribe(&mut self, stream: Resource<InputStream>) -> wasmtime::Result<Resource<Pollable>> {
        let index = stream.rep();
        Ok(self.table.push_child(Pollable::Input(index), index)?)
    }
    fn drop(&mut self, stream: Resource<InputStream>) -> wasmtime::Result<()> {
        if let InputStream::Value(body) = self.table.delete(stream)? {
            self.table.delete::<IncomingBody>(Resource::new_own(body))?;
        }
        Ok(())
    }
}

impl streams::HostOutputStream for Host {
    fn check_write(&mut self, stream: Resource<OutputStream>) -> Result<u64, StreamFailure> {
        self.permit(&stream)
    }
    fn write(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> Result<(), StreamFailure> {
        self.write_permitted(&stream, contents.into())
    }
    async fn blocking_write_and_flush(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> Result<(), StreamFailure> {
        self.write_all(&stream, contents.into()).await
    }
    /// What was written is on its way already.
    fn flush(&mut self, _: Resource<OutputStream>) -> Result<(), StreamFailure> {
        Ok(())
    }
    async fn blocking_flush(&mut self, stream: Resource<OutputStream>) -> Result<(), StreamFailure> {
        match *self.table.get(&stream)? {
            OutputStream::Body(body) => self.wait_for_room(body).await,
            OutputStream::Stdout | OutputStream::Stderr => Ok(()),
        }
    }
    fn subscribe(&mut self, stream: Resource<OutputStream>) -> wasmtime::Result<Resource<Pollable>> {
        let index = stream.rep();
        Ok(self.table.push_child(Pollable::Output(index), index)?)
    }
    fn write_zeroes(&mut self, stream: Resource<OutputStream>, len: u64) -> Result<(), StreamFailure> {
        self.write_permitted(&stream, zeroes(len)?)
    }
    async fn blocking_write_zeroes_and_flush(&mut self, stream: Resource<OutputStream>, len: u64) -> Result<(), StreamFailure> {
        self.write_all(&stream, zeroes(len)?).await
    }
    fn splice(&mut self, target: Resource<OutputStream>, source: Resource<InputStream>, len: u64) -> Result<u64, StreamFailure> {
        let permit = self.permit(&target)?;
        let bytes = self.read_at_once(&source, len.min(permit))?;
        let len = bytes.len() as u64;
        self.write_permitted(&target, bytes)?;
        Ok(len)
    }
    async fn blocking_splice(
        &mut self,
        target: Resource<OutputStream>,
        source: Resource<InputStream>,
        len: u64,
    ) -> Result<u64, StreamFailure> {
        if let OutputStream::Body(body) = *self.table.get(&target)? {
            self.wait_for_room(body).await?;
        }
        let permit = self.permit(&target)?;
        let bytes = self.read_blocking(&source, len.min(permit)).await?;
        let len = bytes.len() as u64;
        self.write_permitted(&target, bytes)?;
        Ok(len)
    }
    fn drop(&mut self, stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
