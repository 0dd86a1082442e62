//! Streams: where each partition and consumer is, records, and appending by hand.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use ports::StoreError;
use types::{
    Problem,
    app::ResourceKind,
    stream::{Appended, Partition, PartitionStats, Record, Sequence, StreamName},
    wire::data::{Page, PartitionRow, StreamAppend, StreamAppended, StreamRange, StreamRecord, StreamRow},
};

use super::{
    super::reply::{Answer, Asked, Input, Key, answer},
    Named,
    room::Room,
    rows, wait,
};
use crate::core::Control;

/// The app's streams with how each is doing.
#[utoipa::path(get, operation_id = "streams", path = "/v1/apps/{app}/{env}/streams", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), Page), responses((status = 200, body = Vec<StreamRow>)))]
pub(crate) async fn streams(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<StreamRow>> {
    let app = control.served(&key).await?;
    let mut streams = Vec::new();
    for row in rows(&app, ResourceKind::Stream, &asked) {
        let stats = control.data.log.stats(&StreamName::of(&key.app, &key.env, &row.name)).await?;
        streams.push(StreamRow { name: row.name, partitions: stats.into_iter().map(partition).collect() });
    }
    answer(streams)
}

/// Records of one partition. A page ends after 8 MiB.
#[utoipa::path(get, operation_id = "streams_records", path = "/v1/apps/{app}/{env}/streams/{stream}/records", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("stream" = String, Path), StreamRange),
    responses((status = 200, body = Vec<StreamRecord>)))]
pub(crate) async fn records(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<StreamRange>,
) -> Answer<Vec<StreamRecord>> {
    control.knowing(ResourceKind::Stream, &named).await?;
    let stream = StreamName::of(&named.key.app, &named.key.env, &named.name);
    let StreamRange { partition, from, last, limit, wait_ms } = asked;
    let partition = Partition(partition);
    let from = match (from, last) {
        (Some(from), _) => Sequence(from),
        (None, last) => begin(&control, &stream, partition, last).await?,
    };
    let found = read(&control, &stream, (partition, from), (limit, wait_ms)).await?;
    answer(found.into_iter().map(|appended| record(partition, appended)).collect())
}

/// Appends a record.
#[utoipa::path(post, operation_id = "streams_append", path = "/v1/apps/{app}/{env}/streams/{stream}/records", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("stream" = String, Path)), request_body = StreamAppend,
    responses((status = 200, body = StreamAppended)))]
pub(crate) async fn append(
    State(control): State<Arc<Control>>,
    named: Named,
    Input(append): Input<StreamAppend>,
) -> Answer<StreamAppended> {
    control.knowing(ResourceKind::Stream, &named).await?;
    let stream = StreamName::of(&named.key.app, &named.key.env, &named.name);
    let StreamAppend { key, body } = append;
    let record = Record { key: key.map(Into::into), body: body.into(), dedup: None, cause: None };
    let places = control.data.log.append(&stream, vec![record], None).await?;
    let (Partition(partition), Sequence(sequence)) = places[0];
    answer(StreamAppended { partition, sequence })
}

/// A page of records; only the first is waited for.
pub(super) async fn read(
    control: &Control,
    stream: &StreamName,
    (partition, mut from): (Partition, Sequence),
    (limit, wait_ms): (Option<usize>, Option<u64>),
) -> Result<Vec<Appended>, StoreError> {
    let (mut room, mut found, mut patience) = (Room::of(limit), Vec::new(), wait(wait_ms));
    while let Some(step) = room.step() {
        let read = control.data.log.read(stream, partition, from, step, patience).await?;
        room.take(&mut found, read, |appended: &Appended| appended.record.body.len());
        from = found.last().map_or(from, |last| Sequence(last.sequence.0 + 1));
        patience = Duration::ZERO;
    }
    Ok(found)
}

/// Where reading begins: so many before the end, or with the oldest record left.
pub(super) async fn begin(
    control: &Control,
    stream: &StreamName,
    partition: Partition,
    last: Option<u64>,
) -> Result<Sequence, Problem> {
    let stats = control.data.log.stats(stream).await?;
    let Some(stats) = stats.into_iter().find(|stats| stats.partition == partition) else { return Ok(Sequence(0)) };
    Ok(match last {
        Some(last) => Sequence(stats.next.0.saturating_sub(last).max(stats.oldest.0)),
        None => stats.oldest,
    })
}

fn partition(PartitionStats { partition, oldest, next, groups }: PartitionStats) -> PartitionRow {
    let lag = |(group, at): (types::stream::GroupName, Sequence)| (group.0, next.0.saturating_sub(at.0));
    PartitionRow { partition: partition.0, oldest: oldest.0, next: next.0, lag: groups.into_iter().map(lag).collect() }
}

fn record(Partition(partition): Partition, Appended { sequence, at, record }: Appended) -> StreamRecord {
    let Record { key, body, dedup: _, cause } = record;
    StreamRecord {
        partition,
        sequence: sequence.0,
        at: at.to_rfc3339(),
        key: key.map(Into::into),
        body: body.into(),
        trace: cause.map(|cause| cause.trace.trace.to_string()),
    }
}
