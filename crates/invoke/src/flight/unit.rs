//! Flights whose effects count only if they succeed: the response waits for the guest's end and for the commit.
//!
//! Until the commit begins, dropping the flight drops everything that it held. From then on it belongs to a task of its own, so that
//! nobody who goes away can leave it half known: all of it happens and is settled as it went.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    task::{Context, Poll},
};

use http::Response;
use ports::{
    Batch, Body, StoreError, Verdict,
    invoker::Acknowledge,
    runtime::Ended,
    unit::{Effects, Refusal, RefusalKind, UnitOutcome},
};
use types::{Code, Elapsed, Outcome, journal::Failure, kv::IdempotencyKey, record::Span};

use super::{
    AbortOnDrop, Flight,
    judge::{self, Judged},
    kept::Kept,
    out_of_time,
};
use crate::{engine::Services, refuse};

/// Why polling stops.
enum Step {
    Ended(Ended),
    Busy,
}

/// How a commit went.
enum Commit {
    Done,
    /// A value was changed by somebody else.
    Conflict(String),
    /// A receipt or an epoch was stale.
    Superseded(String),
    Failed(StoreError),
}

impl Flight {
    /// Runs the guest to its end, commits what it did if it succeeded, and gives the response then.
    pub(crate) async fn settled_response(mut self, batch: Option<Batch>) -> Response<Body> {
        let (id, is_batch) = (self.facts.id, batch.is_some());
        let lost = || {
            let mut response = refuse::bare(Code::E0513, id);
            if is_batch {
                response.extensions_mut().insert(Verdict::Unknown { reason: "E0513 dayfly failed".into() });
            }
            response
        };
        let (mut kept, mut ended) = (Kept::default(), None);
        match poll_fn(|cx| self.poll_kept(cx, &mut kept, &mut ended, true)).await {
            Step::Ended(ended) => self.conclude(ended, kept, batch).await.unwrap_or_else(lost),
            Step::Busy => {
                // The timer belongs to this lane's driver; the other lane sets its own.
                self.timer = None;
                let lane = self.services.busy_lane.clone();
                let rest = async move {
                    match poll_fn(|cx| self.poll_kept(cx, &mut kept, &mut ended, false)).await {
                        Step::Ended(ended) => self.conclude(ended, kept, batch).await,
                        Step::Busy => None,
                    }
                };
                let mut task = AbortOnDrop(Some(lane.spawn(rest)));
                let joined = match &mut task.0 {
                    Some(running) => running.await.ok().flatten(),
                    None => None,
                };
                task.0 = None;
                joined.unwrap_or_else(lost)
            }
        }
    }

    /// One poll of the guest, and one of what it has answered so far. Ready when both have come to their end.
    fn poll_kept(&mut self, cx: &mut Context<'_>, kept: &mut Kept, ended: &mut Option<Ended>, moves: bool) -> Poll<Step> {
        if ended.is_none()
            && let Poll::Ready(end) = self.poll_guest(cx)
        {
            // Its end of the body goes with it.
            self.run = None;
            *ended = Some(end);
        }
        if let Some(response) = self.scope.slot.take() {
            kept.begin(response);
        }
        let read = kept.poll_body(cx);
        if let Poll::Ready(Err(error)) = &read {
            self.scope.slot.break_off(&error.to_string());
        }
        match ended.take() {
            None if moves && self.is_busy() => Poll::Ready(Step::Busy),
            None => Poll::Pending,
            Some(end) if read.is_ready() || matches!(end, Ended::Stopped(_)) => Poll::Ready(Step::Ended(end)),
            Some(_) if self.poll_deadline(cx).is_ready() => Poll::Ready(Step::Ended(out_of_time(&self.facts))),
            waiting => {
                *ended = waiting;
                Poll::Pending
            }
        }
    }

    /// Judges the end, commits what is to be committed, and settles. `None` if the platform failed.
    ///
    /// # Cancel safety
    /// Once it was polled, what it began goes on without its caller.
    async fn conclude(mut self, ended: Ended, kept: Kept, batch: Option<Batch>) -> Option<Response<Body>> {
        let outcome = self.outcome_of(ended);
        let Judged { outcome, verdict, commit } = match &batch {
            Some(batch) => judge::batch(outcome, &kept, batch),
            None => judge::request(outcome, &kept),
        };
        let Some(failed) = commit else {
            self.settle_as(outcome.clone(), None);
            return Some(self.response_to(&outcome, verdict, kept));
        };
        let (mut effects, count) = match &self.scope.held {
            Some(held) => held.take(self.scope.cause),
            None => (Effects::default(), 0),
        };
        if let Some(batch) = &batch {
            acknowledge(&mut effects, batch, &failed);
        }
        let done = batch.is_some().then_some(Verdict::Done { failed });
        if is_empty(&effects) {
            self.settle_as(outcome.clone(), None);
            return Some(self.response_to(&outcome, done, kept));
        }
        tokio::spawn(self.commit(effects, count, (outcome, done), kept)).await.ok()
    }

    /// Commits and settles, whether or not anybody still waits for it.
    async fn commit(
        mut self,
        effects: Effects,
        count: usize,
        (outcome, done): (Outcome, Option<Verdict>),
        kept: Kept,
    ) -> Response<Body> {
        let began = self.scope.pen.elapsed();
        // The run is named, not the receipts: the same events may be worked off again by another run, whose unit is another.
        let once = IdempotencyKey(format!("unit:{}", self.facts.id));
        let name = format!("commit {count} effects, {} acknowledged", effects.acks.len() + effects.offsets.len());
        let commit = commit(&self.services, effects, once).await;
        let (outcome, verdict, result) = match commit {
            Commit::Done => (outcome, done, "ok".to_owned()),
            Commit::Conflict(why) => (refused(&why), done.map(|_| Verdict::Conflict), "conflict".to_owned()),
            Commit::Superseded(why) => (refused(&why), done.map(|_| Verdict::Superseded), "superseded".to_owned()),
            Commit::Failed(error) => {
                let code = error.code();
                let message = format!("the effects could not be committed: {error}");
                let verdict = done.map(|_| verdict_of(&error));
                (Outcome::Failed { code, message, status: code.status() }, verdict, code.to_string())
            }
        };
        let failed = result != "ok";
        let duration: Elapsed = self.scope.pen.elapsed().less(began);
        self.settle_as(outcome.clone(), Some(Span { name, result, at: began, duration, failed }));
        self.response_to(&outcome, verdict, kept)
    }

    fn response_to(&self, outcome: &Outcome, verdict: Option<Verdict>, kept: Kept) -> Response<Body> {
        let mut response = match outcome {
            Outcome::Answered { .. } => kept.into_response().unwrap_or_else(|| refuse::bare(Code::E0504, self.facts.id)),
            Outcome::Failed { code, message, .. } => {
                refuse::response(Failure { code: *code, message: message.clone() }, self.facts.id)
            }
        };
        if let Some(verdict) = verdict {
            response.extensions_mut().insert(verdict);
        }
        response
    }
}

fn refused(why: &str) -> Outcome {
    let (code, message) = (Code::E0517, format!("the effects could not be committed: {why}"));
    Outcome::Failed { code, message, status: code.status() }
}

/// What a store's failure means for the events: what the function sent is at fault, or nobody is, and they come again.
fn verdict_of(error: &StoreError) -> Verdict {
    let reason = format!("{} the effects could not be committed: {error}", error.code());
    match error {
        StoreError::Fenced(_) => Verdict::Superseded,
        StoreError::TooLarge { .. }
        | StoreError::TooMany { .. }
        | StoreError::Denied(_)
        | StoreError::Conflict(_)
        | StoreError::Missing(_)
        | StoreError::Rejected(_) => Verdict::Failed { reason },
        _ => Verdict::Unknown { reason },
    }
}

fn is_empty(effects: &Effects) -> bool {
    let Effects { acks, enqueues, appends, kv, offsets } = effects;
    let writes = kv.iter().any(|(_, transaction)| !transaction.writes.is_empty());
    acks.is_empty() && enqueues.is_empty() && appends.is_empty() && offsets.is_empty() && !writes
}

/// Adds the acknowledgements of the events that did not fail: of a stream's records only those before the first that failed.
fn acknowledge(effects: &mut Effects, batch: &Batch, failed: &[String]) {
    let mut places = BTreeMap::new();
    for item in &batch.items {
        let has_failed = failed.contains(&item.id);
        match &item.acknowledge {
            Acknowledge::Message(queue, receipt) if !has_failed => effects.acks.push((queue.clone(), *receipt)),
            Acknowledge::Message(..) => {}
            Acknowledge::Record { stream, group, partition, next, epoch } => {
                let place = places.entry((stream, group, *partition)).or_insert((None, false));
                place.1 |= has_failed;
                if !place.1 {
                    place.0 = Some((*next, *epoch));
                }
            }
        }
    }
    for ((stream, group, partition), (place, _)) in places {
        effects.offsets.extend(place.map(|(next, epoch)| (stream.clone(), group.clone(), partition, next, epoch)));
    }
}

/// Commits the effects; an outcome that is not known is asked for once more, which has no second effect.
async fn commit(services: &Services, effects: Effects, once: IdempotencyKey) -> Commit {
    let mut result = services.unit.commit(effects.clone(), once.clone()).await;
    if matches!(result, Err(StoreError::Ambiguous(_))) {
        result = services.unit.commit(effects, once).await;
    }
    match result {
        Ok(UnitOutcome::Committed) => Commit::Done,
        Ok(UnitOutcome::Refused(Refusal { kind: RefusalKind::Conflict, reason })) => Commit::Conflict(reason),
        Ok(UnitOutcome::Refused(Refusal { kind: RefusalKind::Stale | RefusalKind::Fenced, reason })) => {
            Commit::Superseded(reason)
        }
        Err(error) => Commit::Failed(error),
    }
}
