//! How much memory a note holds, about: exact enough to bound a journal.

use bytes::Bytes;
use types::{
    CloudEvent,
    journal::{Headers, Operation, Reply, StreamCall},
    kv::Write,
    object::ObjectInfo,
    queue::Message,
    stream::Record,
};

use super::tally::{sql_bytes, value_bytes};

/// About as many bytes as the operation holds; exact enough to bound a journal.
pub(super) fn operation(operation: &Operation) -> u64 {
    let size = match operation {
        Operation::KvGet { key, .. } => key.len(),
        Operation::KvGetMany { keys, .. } => keys.iter().map(|key| key.len() + 32).sum(),
        Operation::KvList { prefix, after, .. } => prefix.len() + after.as_ref().map_or(0, bytes::Bytes::len),
        Operation::KvCommit { transaction, .. } => {
            let values = transaction.writes.iter().map(|write| match write {
                types::kv::Write::Put { key, value, .. } => key.len() + value.len() + 32,
                types::kv::Write::Delete { key } => key.len() + 32,
            });
            values.sum::<usize>() + transaction.conditions.len() * 64
        }
        Operation::Http { request } => request.target.len() + headers_bytes(&request.headers),
        Operation::QueueSend { messages, .. } => messages.iter().map(message).sum(),
        Operation::Stream { call: StreamCall::Append { records, .. }, .. } => records.iter().map(record).sum(),
        Operation::Sql { call, .. } => sql_bytes(call) + 64,
        Operation::Publish { events, .. } => events.iter().map(event).sum(),
        Operation::Stream { .. } | Operation::Bucket { .. } | Operation::Secret { .. } => 256,
    };
    size as u64
}

/// About as many bytes as the reply holds.
pub(super) fn reply(reply: &Reply) -> u64 {
    let entry = |entry: &types::kv::Entry| entry.key.len() + entry.value.len() + 32;
    let size = match reply {
        Reply::KvEntry(found) => found.as_ref().map_or(0, entry),
        Reply::KvEntries(found) => found.iter().map(|found| found.as_ref().map_or(8, entry)).sum(),
        Reply::KvPage(found) => found.iter().map(entry).sum(),
        Reply::KvCommitted(_) => 16,
        Reply::Http { headers, .. } => headers_bytes(headers),
        Reply::Failed(failure) => failure.message.len(),
        Reply::Summary(text) => text.len(),
        Reply::QueueSent(sent) => sent.len() * 16,
        Reply::StreamAppended(places) => places.len() * 16,
        Reply::StreamRecords(records) => records.iter().map(|found| record(&found.record) + 16).sum(),
        Reply::StreamStats(partitions) => partitions.iter().map(|partition| 32 + partition.groups.len() * 64).sum(),
        Reply::SqlRows { rows, .. } => rows.iter().flat_map(|rows| rows.rows.iter().flatten()).map(|v| value_bytes(v) + 24).sum(),
        Reply::Object(found) => found.as_ref().map_or(0, object),
        Reply::ObjectPage(page) => page.objects.iter().map(object).sum(),
        Reply::SqlConnected | Reply::BucketCreated(_) | Reply::BucketMade(_) | Reply::Published | Reply::Secret(_) => 64,
    };
    size as u64
}

fn message(message: &Message) -> usize {
    let attributes = message.attributes.iter().map(|(name, value)| name.len() + value.len() + 48).sum::<usize>();
    message.body.len() + attributes + 128
}

fn record(record: &Record) -> usize {
    record.body.len() + record.key.as_ref().map_or(0, Bytes::len) + 128
}

fn event(event: &CloudEvent) -> usize {
    event.data.as_ref().map_or(0, Bytes::len) + event.extensions.len() * 64 + 256
}

fn object(object: &ObjectInfo) -> usize {
    let attributes = &object.attributes;
    let said = [&attributes.headers, &attributes.metadata, &attributes.tags];
    object.key.len() + said.into_iter().flatten().map(|(name, value)| name.len() + value.len() + 48).sum::<usize>() + 256
}

fn headers_bytes(headers: &Headers) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
}

/// The operation as a span needs it: what it was called on, without what it carried.
pub(super) fn lean(operation: Operation) -> Operation {
    match operation {
        Operation::KvGetMany { store, keys } => Operation::KvGetMany { store, keys: vec![Bytes::new(); keys.len()] },
        Operation::KvCommit { store, mut transaction } => {
            transaction.conditions.clear();
            for write in &mut transaction.writes {
                if let Write::Put { value, .. } = write {
                    *value = Bytes::new();
                }
            }
            Operation::KvCommit { store, transaction }
        }
        Operation::Http { mut request } => {
            request.headers.clear();
            Operation::Http { request }
        }
        small => small,
    }
}
