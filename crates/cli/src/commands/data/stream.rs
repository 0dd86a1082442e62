//! `dayfly stream`.

use futures_util::future::try_join_all;
use types::wire::data::{Content, Page, PartitionRow, StreamAppend, StreamAppended, StreamRange, StreamRecord, StreamRow};

use super::{Data, one_line, rows};
use crate::{
    Context,
    args::{Stream, StreamVerb},
    exit::Result,
    input,
    print::{line, to_json},
    render::text::count,
};

/// How long one question for new records waits at the node.
const WAIT_MS: u64 = 20_000;

pub(crate) async fn run(context: &Context, Stream { of, verb }: Stream) -> Result {
    let data = Data::of(context, &of)?;
    match verb {
        StreamVerb::Ls => {
            let streams: Vec<StreamRow> = data.client.search(&data.path(&["streams"]), &Page::default()).await?;
            Ok(context.printer.data(&streams, |streams| table(streams))?)
        }
        StreamVerb::Append { stream, body, key } => {
            let body = Content::from(bytes::Bytes::from(input::bytes(&body)?));
            let append = StreamAppend { key, body };
            let at: StreamAppended = data.client.post(&data.path(&["streams", &stream, "records"]), &append).await?;
            Ok(context.printer.data(&at, |at| format!("{stream} partition {} record {}", at.partition, at.sequence))?)
        }
        StreamVerb::Tail { stream, last, follow } => tail(context, &data, &stream, last, follow).await,
    }
}

async fn tail(context: &Context, data: &Data, stream: &str, last: u64, follow: bool) -> Result {
    let streams: Vec<StreamRow> = data.client.search(&data.path(&["streams"]), &Page::default()).await?;
    let partitions = streams.iter().find(|row| row.name == stream).map_or(1, |row| row.partitions.len().max(1));
    let partitions = (0..u32::try_from(partitions).unwrap_or(1)).collect::<Vec<_>>();
    // Each partition on its own: they have no order among one another.
    try_join_all(partitions.into_iter().map(|partition| partition_tail(context, data, stream, partition, last, follow))).await?;
    Ok(())
}

async fn partition_tail(context: &Context, data: &Data, stream: &str, partition: u32, last: u64, follow: bool) -> Result {
    let path = data.path(&["streams", stream, "records"]);
    let mut range = StreamRange { partition, last: Some(last), ..StreamRange::default() };
    loop {
        let found: Vec<StreamRecord> = data.client.search(&path, &range).await?;
        for record in &found {
            line(&if context.printer.json { to_json(record) } else { shown(record) })?;
        }
        let next = found.last().map(|record| record.sequence + 1);
        if !follow && (found.is_empty() || next.is_none()) {
            return Ok(());
        }
        let wait_ms = follow.then_some(WAIT_MS);
        // What was seen decides where it goes on; before anything was, only what comes from now on.
        range = match next.or(range.from) {
            Some(from) => StreamRange { partition, from: Some(from), wait_ms, ..StreamRange::default() },
            None => StreamRange { partition, last: Some(0), wait_ms, ..StreamRange::default() },
        };
    }
}

fn shown(record: &StreamRecord) -> String {
    let key = record.key.as_ref().map(|key| format!("{}  ", one_line(key))).unwrap_or_default();
    format!("{}  {}:{}  {key}{}", record.at, record.partition, record.sequence, one_line(&record.body))
}

fn table(streams: &[StreamRow]) -> String {
    let row = |stream: &StreamRow, partition: &PartitionRow| {
        let lag: Vec<String> = partition.lag.iter().map(|(group, lag)| format!("{group} {}", count(*lag))).collect();
        let kept = count(partition.next - partition.oldest);
        vec![stream.name.clone(), partition.partition.to_string(), kept, count(partition.next), lag.join(", ")]
    };
    let all = streams.iter().flat_map(|stream| stream.partitions.iter().map(move |partition| row(stream, partition)));
    rows(&["STREAM", "PARTITION", "RECORDS", "NEXT", "BEHIND"], all.collect(), "the app has no stream with records")
}
