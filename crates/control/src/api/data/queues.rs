//! Queues: how they are doing, what lies in them, and what people do when something went wrong.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::extract::State;
use types::{
    App, Code, Problem,
    app::ResourceKind,
    limits,
    queue::{Enqueued, Message, MessageId, Peeked, QueueName, QueueStats},
    revision::AppKey,
    wire::data::{AtMost, Count, Page, QueueMessage, QueueRow, QueueSend, QueueSent},
};

use super::{
    super::reply::{Answer, Asked, Input, Key, answer},
    Named, names, page,
    room::Room,
};
use crate::core::Control;

/// The app's queues with how each is doing: those that the manifest names, those of dead letters, and those that hold what starts
/// functions.
#[utoipa::path(get, operation_id = "queues", path = "/v1/apps/{app}/{env}/queues", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), Page), responses((status = 200, body = Vec<QueueRow>)))]
pub(crate) async fn queues(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<QueueRow>> {
    let app = control.served(&key).await?;
    let wanted = |name: &String| {
        asked.prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
            && asked.after.as_ref().is_none_or(|after| name > after)
    };
    let mut known: BTreeSet<String> = named(&app, &key).into_iter().filter(wanted).collect();
    // Both are in the order of their names, so the page is among the first of each.
    let prefix = QueueName::prefix(&key) + asked.prefix.as_deref().unwrap_or_default();
    let after = asked.after.as_ref().map(|after| QueueName::of(&key.app, &key.env, after));
    let stored = control.data.queue.queues(&prefix, after.as_ref(), page(asked.limit)).await?;
    known.extend(stored.iter().map(|queue| queue.short().to_owned()));
    let mut rows = Vec::new();
    for name in known.into_iter().take(page(asked.limit)) {
        let stats = control.data.queue.stats(&QueueName::of(&key.app, &key.env, &name)).await?;
        rows.push(row(&app, name, stats));
    }
    answer(rows)
}

/// Messages of a queue, oldest first, without taking them. A page ends after 8 MiB.
#[utoipa::path(get, operation_id = "queues_peek", path = "/v1/apps/{app}/{env}/queues/{queue}/messages", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("queue" = String, Path), Page),
    responses((status = 200, body = Vec<QueueMessage>)))]
pub(crate) async fn peek(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<QueueMessage>> {
    let queue = control.knowing_queue(&named).await?;
    let after = asked.after.map(|text| text.trim_start_matches("msg_").parse::<u64>());
    let after =
        after.transpose().map_err(|error| Problem::new(Code::E0709, format!("`after` is not a message's number: {error}")))?;
    let (mut room, mut found, mut after) = (Room::of(asked.limit), Vec::new(), after.map(MessageId));
    while let Some(step) = room.step() {
        let read = control.data.queue.peek(&queue, after, step).await?;
        room.take(&mut found, read, |peeked: &Peeked| peeked.message.body.len());
        after = found.last().map(|peeked| peeked.id).or(after);
    }
    answer(found.into_iter().map(message).collect())
}

/// Sends a message.
#[utoipa::path(post, operation_id = "queues_send", path = "/v1/apps/{app}/{env}/queues/{queue}/messages", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("queue" = String, Path)), request_body = QueueSend,
    responses((status = 200, body = QueueSent)))]
pub(crate) async fn send(State(control): State<Arc<Control>>, named: Named, Input(send): Input<QueueSend>) -> Answer<QueueSent> {
    let queue = control.knowing_queue(&named).await?;
    let QueueSend { body, delay_ms, group, dedup, attributes } = send;
    let message = Message {
        body: body.into(),
        delay: Duration::from_millis(delay_ms),
        dedup: dedup.map(Into::into),
        group: group.map(Into::into),
        attributes: attributes.into_iter().collect(),
        cause: None,
    };
    let sent = control.data.queue.enqueue(&queue, vec![message], None).await?;
    let sent = sent.into_iter().next().ok_or_else(|| Problem::new(Code::E0601, "the queue said nothing of the message"))?;
    answer(match sent {
        Enqueued::New(id) => QueueSent { id: id.to_string(), duplicate: false },
        Enqueued::Duplicate(id) => QueueSent { id: id.to_string(), duplicate: true },
    })
}

/// Removes every message of a queue.
#[utoipa::path(post, operation_id = "queues_purge", path = "/v1/apps/{app}/{env}/queues/{queue}/purge", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("queue" = String, Path)), responses((status = 200, body = Count)))]
pub(crate) async fn purge(State(control): State<Arc<Control>>, named: Named) -> Answer<Count> {
    let queue = control.knowing_queue(&named).await?;
    let count = control.data.queue.purge(&queue).await?;
    tracing::info!(app = %named.key, queue = named.name, count, "queue purged");
    answer(Count { count })
}

/// Moves dead letters back to where they came from.
#[utoipa::path(post, operation_id = "queues_redrive", path = "/v1/apps/{app}/{env}/queues/{queue}/redrive", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("queue" = String, Path), AtMost), responses((status = 200, body = Count)))]
pub(crate) async fn redrive(State(control): State<Arc<Control>>, named: Named, Asked(asked): Asked<AtMost>) -> Answer<Count> {
    let queue = control.knowing_queue(&named).await?;
    let (mut count, mut left) = (0, asked.max.unwrap_or(usize::MAX));
    loop {
        let some = left.min(limits::EVENT_BATCH);
        let moved = control.data.queue.redrive(&queue, some).await?;
        count += moved;
        left -= some.min(usize::try_from(moved).unwrap_or(some));
        if left == 0 || moved < some as u64 {
            break;
        }
    }
    tracing::info!(app = %named.key, queue = named.name, count, "dead letters sent back");
    answer(Count { count })
}

impl Control {
    /// The queue, if the app has it.
    async fn knowing_queue(&self, named: &Named) -> Result<QueueName, Problem> {
        let Named { key, name } = named;
        let mut known = self::named(&self.served(key).await?, key);
        let queue = QueueName::of(&key.app, &key.env, name);
        // Of all that begin like this one, it is the first.
        if known.contains(name) || self.data.queue.queues(&queue.0, None, 1).await?.first() == Some(&queue) {
            return Ok(queue);
        }
        let stored = self.data.queue.queues(&QueueName::prefix(key), None, SHOWN).await?;
        known.extend(stored.iter().map(|queue| queue.short().to_owned()));
        let shown: Vec<String> = known.into_iter().take(SHOWN).collect();
        Err(Problem::new(Code::E0714, format!("{key} has no queue {name}")).note(format!("it has {}", shown.join(", "))))
    }
}

/// Queues that are named to somebody who named one that is not there.
const SHOWN: usize = 20;

/// The queues that the revision names. Others may hold messages from before.
fn named(app: &App, key: &AppKey) -> BTreeSet<String> {
    let mut known = names(app, ResourceKind::Queue);
    for function in app.functions.values() {
        if let Some(on) = &function.on {
            known.insert(on.rules.dead.clone());
            if !matches!(on.source, types::trigger::Source::Queue { .. } | types::trigger::Source::Stream { .. }) {
                known.insert(QueueName::of_trigger(key, &function.name).short().to_owned());
            }
        }
    }
    known
}

fn row(app: &App, name: String, stats: QueueStats) -> QueueRow {
    let consumer = app.functions.values().find(|function| match function.on.as_ref().map(|on| &on.source) {
        Some(types::trigger::Source::Queue { queue }) => *queue == name,
        Some(_) => name.strip_prefix('~') == Some(function.name.as_str()),
        None => false,
    });
    let QueueStats { ready, delayed, claimed, oldest } = stats;
    QueueRow {
        consumer: consumer.map(|function| function.name.to_string()),
        dead: consumer.and_then(|function| function.on.as_ref()).map(|on| on.rules.dead.clone()),
        name,
        ready,
        delayed,
        claimed,
        oldest_ms: u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX),
    }
}

fn message(Peeked { id, enqueued, due, attempts, dead, message }: Peeked) -> QueueMessage {
    let Message { body, delay: _, dedup: _, group, attributes, cause } = message;
    let (dead_from, dead_reason) = dead.map(|dead| (dead.from.short().to_owned(), dead.reason)).unzip();
    QueueMessage {
        id: id.to_string(),
        number: id.0,
        enqueued: enqueued.to_rfc3339(),
        due: due.to_rfc3339(),
        attempts,
        group: group.map(Into::into),
        attributes,
        body: body.into(),
        dead_from,
        dead_reason,
        trace: cause.map(|cause| cause.trace.trace.to_string()),
    }
}
