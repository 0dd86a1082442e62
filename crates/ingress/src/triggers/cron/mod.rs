//! Times of schedules as events, and the clockwork that puts them into queues.
//!
//! Type `dayfly.cron.tick`, source `/apps/{app}/{env}/cron/{function}`, id and time the time that was meant. Data: `{"scheduled",
//! "missed", "schedule", "zone"}`; `missed` are times before it that this run stands for.
//!
//! One task keeps all schedules. Each has a position in `~system/cron`: up to when its times were dealt with. A time's message and the
//! move of the position are one unit, with the condition that the position is still the one that was read: so each time comes once,
//! whenever the process dies. Where the wall clock goes back, nothing is due until it is past the position again; where it jumps
//! forward, what lies between was missed. A sleeper of monotonic time would not notice a jump, so the clock is looked at every [`LOOK`].
//!
//! `overlap = "skip"` leaves a time out while anything of the function still waits or runs, retries included; `"skip"` and `"queue"` put
//! times into one group, so that one runs at a time; `"allow"` does not.

mod times;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use ports::{
    StoreError,
    queue::{Message, QueueName},
    unit::{Effects, UnitOutcome},
};
use serde::{Deserialize, Serialize};
use serde_json::Map;
use types::{
    AppKey, CloudEvent, Elapsed, FunctionName, LiveFunction, Timestamp,
    event::StoreChange,
    kv::{Condition, Namespace, Rev, Transaction, Write},
    trigger::{Missed, Overlap, Source},
};

pub(crate) use self::times::{Time, Timetable};
use super::{
    Shared,
    manager::Start,
    origin::{Happened, source},
    wanted::Candidates,
};

/// Where positions are kept.
const POSITIONS: &str = "~system/cron";
/// How often the wall clock is looked at, at least, while there is any schedule.
const LOOK: Duration = Duration::from_secs(10);
/// The pause after something failed.
const PAUSE: Duration = Duration::from_secs(1);
/// A position so far ahead of the clock was written by a clock that was wrong: a schedule must not wait for it.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn event(
    app: &AppKey,
    function: &FunctionName,
    (schedule, zone): (&str, &str),
    scheduled: Timestamp,
    missed: u32,
) -> CloudEvent {
    let id = scheduled.to_rfc3339();
    let data =
        [("scheduled", id.as_str().into()), ("missed", missed.into()), ("schedule", schedule.into()), ("zone", zone.into())];
    let data: Map<_, _> = data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let source = source(app, "cron", &function.to_string());
    Happened { id, source, kind: "dayfly.cron.tick", subject: None, at: scheduled, data }.into()
}

/// The message that starts a function for a time.
pub(crate) fn message(time: Time, overlap: Overlap) -> Message {
    let Time { scheduled, missed } = time;
    let body = postcard::to_allocvec(&StoreChange::Tick { scheduled, missed }).expect("a time is written to memory");
    let group = (overlap != Overlap::Allow).then(|| Bytes::from_static(b"cron"));
    Message { body: body.into(), group, ..Message::default() }
}

/// Up to when a schedule was dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Times up to this one are done with.
    pub(crate) upto: Timestamp,
    /// The last time for which the function was started.
    pub(crate) fired: Option<Timestamp>,
    /// The schedule and its zone: another one begins anew.
    pub(crate) of: (String, String),
}

pub(crate) fn place(app: &AppKey, function: &FunctionName) -> (Namespace, Bytes) {
    (Namespace(POSITIONS.to_owned()), Bytes::from(format!("{app}/{function}")))
}

/// The stored position of a schedule.
pub(crate) async fn position(
    shared: &Shared,
    app: &AppKey,
    function: &FunctionName,
) -> Result<Option<(Position, Rev)>, StoreError> {
    let (namespace, key) = place(app, function);
    let entry = shared.settings.kv.get(&namespace, &key).await?;
    Ok(entry.and_then(|entry| Some((serde_json::from_slice(&entry.value).ok()?, entry.rev))))
}

/// A schedule that is kept.
struct Kept {
    function: Arc<LiveFunction>,
    table: Timetable,
    of: (String, String),
    overlap: Overlap,
    missed: Missed,
    /// As it is stored; none before it was read.
    position: Option<(Position, Rev)>,
    next: Option<Timestamp>,
}

type Schedules = BTreeMap<(AppKey, FunctionName), Kept>;

/// For each function with a schedule the revision whose schedule holds: the one with most of the traffic.
pub(crate) fn holding(candidates: &Candidates) -> BTreeMap<(AppKey, FunctionName), Arc<LiveFunction>> {
    let mut functions: BTreeMap<(AppKey, FunctionName), Candidates> = BTreeMap::new();
    for (function, weight) in &candidates.0 {
        let name = (function.key.clone(), function.function.name.clone());
        functions.entry(name).or_default().0.push((Arc::clone(function), *weight));
    }
    functions.into_iter().filter_map(|(name, revisions)| Some((name, Arc::clone(revisions.heaviest()?)))).collect()
}

/// Keeps all schedules until it is stopped.
pub(crate) async fn keep_time(start: Start) {
    let Start { shared, mut candidates, stop } = start;
    let mut kept = Schedules::new();
    while !stop.has_begun() {
        let gone = update(&mut kept, &candidates.borrow_and_update());
        let mut pause = LOOK;
        for (app, function) in gone {
            if let Err(error) = forget(&shared, &app, &function).await {
                tracing::warn!(%app, %function, %error, "the position of a schedule that is gone could not be removed");
            }
        }
        let now = shared.settings.clock.now();
        for ((app, function), schedule) in &mut kept {
            if let Err(error) = schedule.look(&shared, now).await {
                tracing::warn!(%app, %function, %error, "a schedule can't be kept");
                schedule.position = None;
                pause = PAUSE;
            } else if let Some(next) = schedule.next {
                pause = pause.min(next.since(now).into());
            }
        }
        let until = shared.settings.clock.monotonic_ns().saturating_add(Elapsed::from(pause.max(Duration::from_millis(1))).ns());
        tokio::select! {
            () = stop.clone().begun() => {}
            _ = candidates.changed() => {}
            () = shared.settings.clock.sleep_until(until) => {}
        }
    }
    // Nothing wants a schedule any more: later ones begin anew. A node that only stops keeps every position.
    if candidates.borrow().0.is_empty() {
        for (app, function) in kept.into_keys() {
            if let Err(error) = forget(&shared, &app, &function).await {
                tracing::warn!(%app, %function, %error, "the position of a schedule that is gone could not be removed");
            }
        }
    }
}

/// Takes over the schedules that hold now; gives those that are gone.
fn update(kept: &mut Schedules, candidates: &Candidates) -> Vec<(AppKey, FunctionName)> {
    let holding = holding(candidates);
    let gone: BTreeSet<_> = kept.keys().filter(|name| !holding.contains_key(name)).cloned().collect();
    kept.retain(|name, _| !gone.contains(name));
    for (name, function) in holding {
        let Some(Source::Cron { schedule, zone, overlap, missed }) = function.function.on.as_ref().map(|on| on.source.clone())
        else {
            continue;
        };
        let of = (schedule, zone);
        if let Some(known) = kept.get_mut(&name).filter(|known| known.of == of) {
            (known.function, known.overlap, known.missed) = (function, overlap, missed);
            continue;
        }
        match Timetable::new(&of.0, &of.1) {
            Ok(table) => drop(kept.insert(name, Kept { function, table, of, overlap, missed, position: None, next: None })),
            Err(error) => {
                tracing::error!(app = %name.0, function = %name.1, error, "a schedule that the manifest allowed can't be read")
            }
        }
    }
    gone.into_iter().collect()
}

async fn forget(shared: &Shared, app: &AppKey, function: &FunctionName) -> Result<(), StoreError> {
    let (namespace, key) = place(app, function);
    let transaction = Transaction { writes: vec![Write::Delete { key }], ..Transaction::default() };
    shared.settings.kv.commit(&namespace, transaction).await.map(drop)
}

impl Kept {
    /// Starts the function for what is due.
    async fn look(&mut self, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
        let Some((position, rev)) = self.position.clone() else { return self.begin(shared, now).await };
        if position.upto > now.plus(AHEAD_MAX.into()) {
            tracing::warn!(app = %self.function.key, function = %self.function.function.name, "the clock went back by more than a day");
            let again = Position { upto: now, ..position };
            return self.advance(shared, again, Some(rev), Vec::new()).await;
        }
        if self.next.is_none_or(|next| next > now) {
            return Ok(());
        }
        let due = self.table.due(position.upto, now, self.missed);
        let busy = self.overlap == Overlap::Skip && !due.is_empty() && self.is_busy(shared).await?;
        if busy {
            tracing::info!(app = %self.function.key, function = %self.function.function.name, "a time is left out: the last run still goes on");
        }
        let due = if busy { Vec::new() } else { due };
        let fired = due.last().map(|time| time.scheduled).or(position.fired);
        let moved = Position { upto: now, fired, of: self.of.clone() };
        self.advance(shared, moved, Some(rev), due).await
    }

    /// Reads the position, or begins one: a schedule that is new has missed nothing.
    async fn begin(&mut self, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
        let stored = position(shared, &self.function.key, &self.function.function.name).await?;
        match stored {
            Some((position, rev)) if position.of == self.of => {
                self.next = self.table.after(position.upto);
                self.position = Some((position, rev));
                Box::pin(self.look(shared, now)).await
            }
            other => {
                let new = Position { upto: now, fired: None, of: self.of.clone() };
                self.advance(shared, new, other.map(|(_, rev)| rev), Vec::new()).await
            }
        }
    }

    async fn is_busy(&self, shared: &Shared) -> Result<bool, StoreError> {
        let stats = shared.settings.queue.stats(&self.queue()).await?;
        Ok(stats.ready + stats.delayed + stats.claimed > 0)
    }

    fn queue(&self) -> QueueName {
        QueueName::of_trigger(&self.function.key, &self.function.function.name)
    }

    /// Moves the position and enqueues the times, both or neither.
    async fn advance(&mut self, shared: &Shared, to: Position, rev: Option<Rev>, due: Vec<Time>) -> Result<(), StoreError> {
        let (app, function) = (&self.function.key, &self.function.function.name);
        let (namespace, key) = place(app, function);
        let condition = rev.map_or_else(|| Condition::Absent(key.clone()), |rev| Condition::At(key.clone(), rev));
        let value = serde_json::to_vec(&to).expect("a position is written to memory").into();
        let write = Write::Put { key, value, expires: None };
        let moved = Transaction { conditions: vec![condition], writes: vec![write], ..Transaction::default() };
        let enqueues = due.into_iter().map(|time| (self.queue(), message(time, self.overlap))).collect();
        let effects = Effects { enqueues, kv: vec![(namespace, moved)], ..Effects::default() };
        let name = shared.fresh_key("cron");
        if let UnitOutcome::Refused(reason) = shared.settings.unit.commit(effects, name).await? {
            return Err(StoreError::Changed(reason.to_string()));
        }
        self.position = position(shared, app, function).await?;
        self.next = self.position.as_ref().and_then(|(position, _)| self.table.after(position.upto));
        Ok(())
    }
}
