//! `wasi:blobstore/types`: an object's bytes on their way out of the guest and into it.
//!
//! Writing begins with `write-data` and goes on whenever the guest waits, as outbound requests do; its outcome is told by `finish`.
//! What of it depends on the store's pace (how much may be written, whether it failed at once) goes over the tape.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use ports::{Body, BoxFuture, StoreError, objects::PutOptions, scope::OpenBucket, tape::Question};
use types::{ByteCount, journal::Answer, limits};
use wasmtime::component::Resource;

use super::words;
use crate::{
    host::{
        Host,
        bindings::wasi::blobstore::types as wit,
        http::{body::OutgoingBody, incoming::IncomingBody},
        io::{
            error::StreamFailure,
            streams::{InputStream, OutputStream},
        },
        store::Answered,
    },
    stop::Stop,
};

/// Bytes of one read within `incoming-value-consume-sync`.
const READ: u64 = 64 << 10;

/// An object to be written. Its bytes are a body in the table that the guest has no handle to.
pub struct OutgoingValue {
    body: u32,
    stream_taken: bool,
    write: Write,
}

enum Write {
    /// `write-data` was not called yet.
    Unnamed,
    /// The store is at it.
    Running(BoxFuture<Result<(), StoreError>>),
    /// The store is done with it.
    Done(Box<Result<(), StoreError>>),
}

/// An object, or a part of one, to be read.
pub struct IncomingValue {
    body: Box<IncomingBody>,
    bytes: u64,
}

impl IncomingValue {
    pub(super) fn new(body: Body, bytes: u64) -> Self {
        Self { body: Box::new(IncomingBody::new(body, false)), bytes }
    }
}

impl OutgoingValue {
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Write::Running(write) = &mut self.write {
            let Poll::Ready(done) = write.as_mut().poll(cx) else { return Poll::Pending };
            self.write = Write::Done(Box::new(done));
        }
        Poll::Ready(())
    }
}

impl Write {
    /// Its outcome, if it was ever begun.
    async fn outcome(self, host: &mut Host) -> wasmtime::Result<Option<Result<(), StoreError>>> {
        match self {
            Self::Unnamed => Ok(None),
            Self::Done(done) => Ok(Some(*done)),
            Self::Running(mut write) => host.asked(&mut write).await.map(Some),
        }
    }
}

impl Host {
    /// Lets every object that is being written make what progress it can.
    pub(in crate::host) fn drive_writes(&mut self, cx: &mut Context<'_>) {
        let table = &mut self.table;
        self.writes.retain(|index| match table.at_mut::<OutgoingValue>(*index) {
            Ok(value) => value.drive(cx).is_pending(),
            Err(_) => false,
        });
    }

    /// Has the store write the value under a name. A failure at once is told at once, any other by `finish`.
    pub(super) async fn begin_write(
        &mut self,
        open: Arc<OpenBucket>,
        name: String,
        data: &Resource<OutgoingValue>,
    ) -> Answered<(), String> {
        let value = self.table.get_mut(data)?;
        if !matches!(value.write, Write::Unnamed) {
            return Ok(Err("the value was given to a container before".to_owned()));
        }
        let body = value.body;
        let reader = self.table.at_mut::<OutgoingBody>(body)?.read();
        let write = async move {
            let options = PutOptions::default();
            open.objects.put(&open.bucket, &name, Body::stream(reader), options).await.map(drop)
        };
        self.table.get_mut(data)?.write = Write::Running(Box::pin(write));
        self.writes.push(data.rep());
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(())
        })
        .await;
        if !self.failed_at_once(data)? {
            return Ok(Ok(()));
        }
        let write = std::mem::replace(&mut self.table.get_mut(data)?.write, Write::Unnamed);
        // Nobody reads what is written from now on, and nobody minds.
        self.table.at_mut::<OutgoingBody>(body)?.pipe.discard_if_unread();
        let Some(Err(error)) = write.outcome(self).await? else { return Err(Stop::Diverged.into()) };
        self.table.get_mut(data)?.write = Write::Done(Box::new(Err(error.clone())));
        Ok(Err(words(error)))
    }

    /// Whether the write has failed already: the store's pace, so a replay is told.
    fn failed_at_once(&mut self, data: &Resource<OutgoingValue>) -> wasmtime::Result<bool> {
        if let Some(Answer::IsReady(failed)) = self.scope.tape().recall(Question::IsReady).map_err(Stop::from)? {
            return Ok(failed);
        }
        let failed = matches!(&self.table.get(data)?.write, Write::Done(done) if done.is_err());
        self.keep(|| Answer::IsReady(failed));
        Ok(failed)
    }

    fn take_value(&mut self, value: Resource<OutgoingValue>) -> wasmtime::Result<(OutgoingBody, Write)> {
        self.writes.retain(|index| *index != value.rep());
        let OutgoingValue { body, write, .. } = self.table.delete(value)?;
        Ok((self.table.delete(Resource::new_own(body))?, write))
    }

    /// Reads all of it, at most `limits::OBJECT_AT_ONCE`.
    async fn read_value(&mut self, value: IncomingValue) -> Answered<Vec<u8>, String> {
        let (measured, allowed) = (value.bytes, limits::OBJECT_AT_ONCE);
        if measured > allowed.0 {
            let measured = ByteCount(measured);
            return Ok(Err(format!("an object of {measured} at once, allowed {allowed}: read it as a stream")));
        }
        let body = self.table.push(*value.body)?;
        let mut bytes = Vec::with_capacity(usize::try_from(measured).unwrap_or(0));
        let read = loop {
            match self.read_waiting(body.rep(), READ).await {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(StreamFailure::Closed) => break Ok(bytes),
                Err(StreamFailure::Failed(error)) => break Err(error.to_string()),
                Err(StreamFailure::Ended(error)) => return Err(error),
            }
        };
        self.table.delete(body)?;
        Ok(read)
    }
}

impl wit::Host for Host {}

impl wit::HostOutgoingValue for Host {
    fn new_outgoing_value(&mut self) -> wasmtime::Result<Resource<OutgoingValue>> {
        let body = self.table.push(OutgoingBody::of_object())?.rep();
        Ok(self.table.push(OutgoingValue { body, stream_taken: false, write: Write::Unnamed })?)
    }
    fn outgoing_value_write_body(
        &mut self,
        value: Resource<OutgoingValue>,
    ) -> wasmtime::Result<Result<Resource<OutputStream>, ()>> {
        let held = self.table.get_mut(&value)?;
        if std::mem::replace(&mut held.stream_taken, true) {
            return Ok(Err(()));
        }
        let body = held.body;
        Ok(Ok(self.table.push_child(OutputStream::Body(body), value.rep())?))
    }
    async fn finish(&mut self, value: Resource<OutgoingValue>) -> Answered<(), String> {
        let (mut body, write) = self.take_value(value)?;
        body.finish_object();
        Ok(match write.outcome(self).await? {
            Some(done) => done.map_err(words),
            None => Err("the value was given to no container: call write-data before finish".to_owned()),
        })
    }
    /// Dropped unfinished, the object is not written. Waits until the store knows, so that what happens next happens after.
    async fn drop(&mut self, value: Resource<OutgoingValue>) -> wasmtime::Result<()> {
        let (body, write) = self.take_value(value)?;
        drop(body);
        write.outcome(self).await.map(drop)
    }
}

impl wit::HostIncomingValue for Host {
    async fn incoming_value_consume_sync(&mut self, value: Resource<IncomingValue>) -> Answered<Vec<u8>, String> {
        let value = self.table.delete(value)?;
        self.read_value(value).await
    }
    fn incoming_value_consume_async(&mut self, value: Resource<IncomingValue>) -> Answered<Resource<InputStream>, String> {
        let IncomingValue { body, .. } = self.table.delete(value)?;
        let body = self.table.push(*body)?.rep();
        Ok(Ok(self.table.push(InputStream::Value(body))?))
    }
    fn size(&mut self, value: Resource<IncomingValue>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&value)?.bytes)
    }
    fn drop(&mut self, value: Resource<IncomingValue>) -> wasmtime::Result<()> {
        self.table.delete(value)?;
        Ok(())
    }
}
