//! The recorder around every service: one note when a call begins and one when it is answered.
//!
//! Span, count and replayable record are all this one pair of notes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ports::{Body, BoxStream, Kv, Outbound, StoreError, outbound::OutboundRequest};
use types::{
    Code,
    journal::{CallId, Entry as Note, Failure, Operation, Reply, RequestHead},
    kv::{Change, Committed, Entry, Namespace, Transaction, WatchFrom},
};

use super::{
    counted::{self, CountedBody},
    live::Pen,
};
use crate::journal::headers_of;

/// A key-value store whose calls are noted.
pub(crate) struct RecordedKv {
    pub(crate) inner: Arc<dyn Kv>,
    pub(crate) store: String,
    pub(crate) pen: Arc<Pen>,
}

#[async_trait]
impl Kv for RecordedKv {
    async fn get(&self, namespace: &Namespace, key: &Bytes) -> Result<Option<Entry>, StoreError> {
        let id = self.pen.call(Operation::KvGet { store: self.store.clone(), key: key.clone() });
        let result = self.inner.get(namespace, key).await;
        self.pen.answered(id, &result, |entry| Reply::KvEntry(entry.clone()));
        result
    }
    async fn get_many(&self, namespace: &Namespace, keys: &[Bytes]) -> Result<Vec<Option<Entry>>, StoreError> {
        let id = self.pen.call(Operation::KvGetMany { store: self.store.clone(), keys: keys.to_vec() });
        let result = self.inner.get_many(namespace, keys).await;
        self.pen.answered(id, &result, |entries| Reply::KvEntries(entries.clone()));
        result
    }
    async fn list(
        &self,
        namespace: &Namespace,
        prefix: &Bytes,
        after: Option<&Bytes>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let id = self.pen.call(Operation::KvList {
            store: self.store.clone(),
            prefix: prefix.clone(),
            after: after.cloned(),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        });
        let result = self.inner.list(namespace, prefix, after, limit).await;
        self.pen.answered(id, &result, |page| Reply::KvPage(page.clone()));
        result
    }
    async fn commit(&self, namespace: &Namespace, transaction: Transaction) -> Result<Committed, StoreError> {
        let id = self.pen.call(Operation::KvCommit { store: self.store.clone(), transaction: transaction.clone() });
        let result = self.inner.commit(namespace, transaction).await;
        self.pen.answered(id, &result, |committed| Reply::KvCommitted(*committed));
        result
    }
    /// Not noted: guests have no way to watch.
    async fn watch(&self, namespace: &Namespace, prefix: Bytes, from: WatchFrom) -> Result<BoxStream<Change>, StoreError> {
        self.inner.watch(namespace, prefix, from).await
    }
}

/// The way out, noted. Carries the trace on to whoever is called.
pub(crate) struct RecordedOutbound {
    pub(crate) inner: Arc<dyn Outbound>,
    pub(crate) traceparent: http::HeaderValue,
    pub(crate) pen: Arc<Pen>,
}

#[async_trait]
impl Outbound for RecordedOutbound {
    async fn send(&self, mut request: OutboundRequest) -> Result<Response<Body>, Failure> {
        let operation = Operation::Http { request: head_of(&request.request) };
        let id = self.pen.call(operation);
        request.request.headers_mut().entry("traceparent").or_insert_with(|| self.traceparent.clone());
        request.request = request.request.map(|body| CountedBody::wrap(body, &self.pen, counted::outbound));
        let result = self
            .inner
            .send(request)
            .await
            .map(|response| response.map(|body| CountedBody::wrap(body, &self.pen, counted::outbound)));
        match &result {
            Ok(response) => {
                let headers = headers_of(response.headers());
                self.pen.reply(id, Reply::Http { status: response.status().as_u16(), headers });
            }
            Err(failure) => {
                if matches!(failure.code, Code::E0207 | Code::E0208 | Code::E0210 | Code::E0213 | Code::E0510) {
                    self.pen.refused(failure);
                }
                self.pen.reply(id, Reply::Failed(failure.clone()));
            }
        }
        result
    }
}

/// A request's head as the journal keeps it.
pub(crate) fn head_of(request: &Request<Body>) -> RequestHead {
    let uri = request.uri();
    RequestHead {
        method: request.method().to_string(),
        scheme: uri.scheme_str().unwrap_or("http").to_owned(),
        authority: uri.authority().map(ToString::to_string).unwrap_or_default(),
        target: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        headers: headers_of(request.headers()),
    }
}

impl Pen {
    /// Notes how a store answered.
    pub(crate) fn answered<T>(&self, id: CallId, result: &Result<T, StoreError>, reply: impl FnOnce(&T) -> Reply) {
        let reply = match result {
            Ok(value) => reply(value),
            Err(error) => {
                let failure = Failure { code: error.code(), message: error.to_string() };
                // A lost race is part of the interface, and so is what the engine says to a statement; the rest is told to people,
                // whatever the function makes of it.
                if !matches!(failure.code, Code::E0710 | Code::E0610) {
                    self.refused(&failure);
                }
                Reply::Failed(failure)
            }
        };
        self.reply(id, reply);
    }
    pub(crate) fn refused(&self, failure: &Failure) {
        let Failure { code, message } = failure.clone();
        let at = self.elapsed();
        self.write(|writer| writer.note(crate::journal::Note::Entry(Note::Refused { at, code, message })));
    }
    pub(crate) fn reply(&self, id: CallId, reply: Reply) {
        let at = self.elapsed();
        self.write(|writer| writer.reply(id, at, reply));
    }
    pub(crate) fn call(&self, operation: Operation) -> CallId {
        let at = self.elapsed();
        self.write(|writer| writer.call(at, operation))
    }
}
