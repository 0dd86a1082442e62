//! `dayfly events`.

use types::wire::data::{BusRange, Content, EventRow, EventSend, EventSent};

use super::{Data, one_line};
use crate::{
    Context,
    args::{Events, EventsVerb},
    exit::Result,
    input,
    print::{line, to_json},
    render::text::escaped,
};

/// How long one question for new events waits at the node.
const WAIT_MS: u64 = 20_000;

pub(crate) async fn run(context: &Context, Events { of, verb }: Events) -> Result {
    let data = Data::of(context, &of)?;
    match verb {
        EventsVerb::Send { kind, data: given, subject, content_type, bus } => {
            let said = given.as_deref().map(input::bytes).transpose()?.map(|bytes| Content::from(bytes::Bytes::from(bytes)));
            let content_type = said.is_some().then_some(content_type);
            let send = EventSend { kind, source: None, subject, content_type, data: said, bus };
            let sent: EventSent = data.client.post(&data.path(&["events"]), &send).await?;
            Ok(context.printer.data(&sent, |sent| match &sent.starts[..] {
                [] => format!("{} published; no function waits for it", sent.id),
                starts => format!("{} published; starts {}", sent.id, starts.join(", ")),
            })?)
        }
        EventsVerb::Tail { last, follow, bus } => {
            tail(context, &data, BusRange { bus, last: Some(last), ..BusRange::default() }, follow).await
        }
    }
}

async fn tail(context: &Context, data: &Data, mut range: BusRange, follow: bool) -> Result {
    loop {
        let found: Vec<EventRow> = data.client.search(&data.path(&["events"]), &range).await?;
        for event in &found {
            line(&if context.printer.json { to_json(event) } else { shown(event) })?;
        }
        if !follow && found.is_empty() {
            return Ok(());
        }
        let from = found.last().map(|event| event.sequence + 1).or(range.from);
        let last = if from.is_none() { Some(0) } else { None };
        range = BusRange { bus: range.bus, from, last, wait_ms: follow.then_some(WAIT_MS) };
    }
}

fn shown(event: &EventRow) -> String {
    let subject = event.subject.as_deref().map(|subject| format!("  {}", escaped(subject))).unwrap_or_default();
    let data = event.data.as_ref().map(|data| format!("  {}", one_line(data))).unwrap_or_default();
    format!("{}  {}{subject}{data}", event.at, escaped(&event.kind))
}
