//! Events: publishing one by hand, and what was published.

use std::sync::Arc;

use axum::extract::State;
use data_encoding::HEXLOWER;
use types::{
    CloudEvent, Code, Problem,
    app::ResourceKind,
    event::BusName,
    kv::IdempotencyKey,
    revision::AppKey,
    stream::{Appended, Partition, Sequence},
    wire::data::{BusRange, EventRow, EventSend, EventSent},
};

use super::{
    super::reply::{Answer, Asked, Input, Key, answer},
    Named, streams,
};
use crate::core::Control;

/// Publishes an event.
#[utoipa::path(post, operation_id = "events_send", path = "/v1/apps/{app}/{env}/events", tag = "data",
    params(("app" = String, Path), ("env" = String, Path)), request_body = EventSend, responses((status = 200, body = EventSent)))]
pub(crate) async fn send(State(control): State<Arc<Control>>, Key(key): Key, Input(send): Input<EventSend>) -> Answer<EventSent> {
    let EventSend { kind, source, subject, content_type, data, bus } = send;
    let bus = control.knowing_bus(&key, bus).await?;
    let mut random = [0; 16];
    control.rng.fill(&mut random);
    let event = CloudEvent {
        id: HEXLOWER.encode(&random),
        source: source.unwrap_or_else(|| format!("/apps/{}/{}", key.app, key.env)),
        kind,
        subject,
        time: Some(control.clock.now()),
        content_type,
        schema: None,
        extensions: Vec::new(),
        data: data.map(Into::into),
    };
    let id = event.id.clone();
    let effects = control.data.bus.effects(&bus, &[event], None)?;
    let starts = effects.enqueues.iter().map(|(queue, _)| queue.short().trim_start_matches('~').to_owned()).collect();
    control.data.unit.commit(effects, IdempotencyKey(format!("event/{id}"))).await?;
    answer(EventSent { id, starts })
}

/// Events that were published on a bus, oldest first.
#[utoipa::path(get, operation_id = "events_published", path = "/v1/apps/{app}/{env}/events", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), BusRange), responses((status = 200, body = Vec<EventRow>)))]
pub(crate) async fn published(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Asked(asked): Asked<BusRange>,
) -> Answer<Vec<EventRow>> {
    let BusRange { bus, from, last, wait_ms } = asked;
    let stream = control.knowing_bus(&key, bus).await?.stream();
    let from = match from {
        Some(from) => Sequence(from),
        None => streams::begin(&control, &stream, Partition(0), last).await?,
    };
    let found = streams::read(&control, &stream, (Partition(0), from), (None, wait_ms)).await?;
    answer(found.into_iter().map(row).collect::<Result<_, _>>()?)
}

impl Control {
    /// The bus, if the app has it. Every app has the default one, on which functions may wait for nothing yet.
    async fn knowing_bus(&self, key: &AppKey, name: Option<String>) -> Result<BusName, Problem> {
        let name = name.unwrap_or_else(|| BusName::DEFAULT.into());
        let named = Named { key: key.clone(), name };
        if named.name == BusName::DEFAULT {
            self.served(key).await?;
        } else {
            self.knowing(ResourceKind::Event, &named).await?;
        }
        Ok(BusName { key: named.key, name: named.name })
    }
}

fn row(Appended { sequence, at, record }: Appended) -> Result<EventRow, Problem> {
    let event: CloudEvent = postcard::from_bytes(&record.body)
        .map_err(|error| Problem::new(Code::E0603, format!("the event at {} can't be read: {error}", sequence.0)))?;
    let CloudEvent { id, source, kind, subject, time: _, content_type, schema: _, extensions: _, data } = event;
    Ok(EventRow {
        sequence: sequence.0,
        at: at.to_rfc3339(),
        id,
        kind,
        source,
        subject,
        content_type,
        data: data.map(Into::into),
        trace: record.cause.map(|cause| cause.trace.trace.to_string()),
    })
}
