//! Replays: the same component, with every answer from the journal.

use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use ports::{
    Body, BoxFuture, Clock, Loaded,
    runtime::{Call, Ended},
};
use types::{
    Code, Elapsed, Outcome, Problem,
    journal::{BodyDigest, Entry, Headers, Journal, LogLine, RequestHead},
    limits,
};

pub use crate::scope::replayed::Halt;
use crate::{
    flight::outcome,
    last_words::LastWords,
    scope::{
        overdue_ns,
        replayed::{ReplayScope, ReplayWorld},
    },
};

/// What to replay.
pub struct Replay {
    /// The record.
    pub journal: Journal,
    /// The code to run against it: the recorded artifact, or another that is tried.
    pub code: Arc<dyn Loaded>,
    /// Stop before this step of the record, counting from 0.
    pub until: Option<usize>,
}

/// What a replay found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Steps of the record: calls, and answers of the host itself.
    pub steps_recorded: usize,
    /// Steps that the replay took.
    pub steps_replayed: usize,
    /// Why it stopped before the guest's end, if it did.
    pub halt: Option<Halt>,
    /// What differs in the output; empty if nothing does.
    pub differences: Vec<String>,
    /// How the guest ended now.
    pub outcome: Option<Outcome>,
    /// Lines that the guest logged now.
    pub logs: Vec<LogLine>,
    /// The response now: status, fields, body.
    pub response: Option<(u16, Headers, BodyDigest)>,
    /// Secrets in whose place the guest was given something else of the same length, since no record has them. What the guest makes of
    /// it may differ for that alone.
    pub fakes: Vec<String>,
}

impl Report {
    /// Whether the replay did what the record says, as far as the record goes.
    #[must_use]
    pub fn is_faithful(&self) -> bool {
        !matches!(self.halt, Some(Halt::Diverged { .. })) && self.differences.is_empty()
    }
}

/// Runs the code against the record. It touches nothing: every service, clock and random source answers from the journal.
///
/// # Errors
/// `E0806` if the record's request is not one.
pub async fn replay(replay: Replay, clock: &dyn Clock) -> Result<Report, Problem> {
    let Replay { journal, code, until } = replay;
    let (limits, request) = (journal.invoke.limits, request_of(&journal.invoke.request)?);
    let scope = ReplayScope::new(journal, until);
    let world = Arc::new(ReplayWorld(scope.clone()));
    let mut run = code.call(Call { request, scope: world, limits });
    let began_ns = clock.monotonic_ns();
    let deadline_ns = began_ns.saturating_add(Elapsed::from(limits.time).ns());
    let mut deadline: BoxFuture<()> = clock.sleep_until(deadline_ns);
    let mut last_words = LastWords::default();
    let overdue_ns = overdue_ns(began_ns, limits.time);
    let ended = poll_fn(|cx| {
        // A guest that computes is polled again after each slice.
        if clock.monotonic_ns() >= overdue_ns {
            scope.is_overdue.store(true, Ordering::Relaxed);
        }
        let polled = run.as_mut().poll(cx);
        if scope.halted() {
            return Poll::Ready(Stop::Halted);
        }
        match polled {
            Poll::Ready(ended) => Poll::Ready(Stop::Ended(ended)),
            // Nobody pays for the CPU time of a replay: it is bounded by the wall's alone, whatever the guest is.
            Poll::Pending if last_words.may_go_on(&*run, Elapsed::ZERO, clock.monotonic_ns(), deadline_ns) => Poll::Pending,
            Poll::Pending => deadline.as_mut().poll(cx).map(|()| Stop::OutOfTime(limits.time)),
        }
    })
    .await;
    drop(run);
    Ok(report(&scope, ended))
}

/// How the run came to an end.
enum Stop {
    Ended(Ended),
    OutOfTime(Duration),
    Halted,
}

fn request_of(head: &RequestHead) -> Result<http::Request<Body>, Problem> {
    let uri = format!("{}://{}{}", head.scheme, head.authority, head.target);
    let mut builder = http::Request::builder().method(head.method.as_str()).uri(uri);
    for (name, value) in &head.headers {
        builder = builder.header(name, value.as_ref());
    }
    builder.body(Body::Empty).map_err(|error| Problem::new(Code::E0806, format!("the recorded request is not one: {error}")))
}

fn report(scope: &ReplayScope, stop: Stop) -> Report {
    let seen = scope.seen.lock();
    let body = seen.body.digest();
    let response = seen.response.clone().map(|(status, headers)| (status, headers, body));
    let outcome = match stop {
        Stop::Halted => None,
        Stop::Ended(ended) => Some(outcome(ended, response.as_ref().map(|(status, ..)| *status), seen.broken.clone())),
        Stop::OutOfTime(allowed) => Some(Outcome::Failed {
            code: Code::E0502,
            message: format!("the function ran out of time: {}", limits::time_allowed(Elapsed::from(allowed))),
            status: Code::E0502.status(),
        }),
    };
    let mut report = Report {
        steps_recorded: scope.steps(),
        steps_replayed: seen.steps,
        halt: seen.halt.clone(),
        differences: Vec::new(),
        outcome,
        logs: seen.logs.clone(),
        response,
        fakes: seen.fakes.clone(),
    };
    if report.halt.is_none() {
        report.differences = differences(scope.journal(), &report);
    }
    report
}

/// What the end of a complete replay shows that the record does not.
fn differences(journal: &Journal, report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, recorded: String, replayed: String| {
        if recorded != replayed {
            found.push(format!("{what}: recorded {recorded}, replayed {replayed}"));
        }
    };
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Answered { status } => format!("answered {status}"),
        // An exception is the guest's own word, as its answer would be.
        Outcome::Failed { code: code @ (Code::E0519 | Code::E0520 | Code::E0521), message, .. } => {
            format!("failed with {code} {}", message.lines().next().unwrap_or_default())
        }
        Outcome::Failed { code, .. } => format!("failed with {code}"),
    };
    compare("steps", report.steps_recorded.to_string(), report.steps_replayed.to_string());
    let (recorded, replayed) = (kind(&journal.end.outcome), report.outcome.as_ref().map_or("none".into(), kind));
    let is_failure = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. });
    // What the platform made of the answer afterwards is not the guest's doing, and not done again.
    let judged = matches!(&journal.end.outcome, Outcome::Failed { code: Code::E0517 | Code::E0518 | Code::E0606, .. });
    let is_one_failure = is_failure(&journal.end.outcome) != report.outcome.as_ref().is_none_or(is_failure);
    if !judged {
        compare("outcome", recorded, replayed);
    }
    if is_one_failure && !judged {
        // Where one answered and the other did not, all else differs too and says nothing more.
        return found;
    }
    let recorded = journal.entries.iter().find_map(|entry| match entry {
        Entry::Respond { status, headers, .. } => Some((*status, headers)),
        _ => None,
    });
    let replayed = report.response.as_ref().map(|(status, headers, _)| (*status, headers));
    let head = |head: Option<(u16, _)>| head.map_or("none".into(), |(status, fields)| format!("{status} {fields:?}"));
    compare("response head", head(recorded), head(replayed));
    let body = |body: &BodyDigest| format!("{} bytes with digest {}", body.bytes, body.digest);
    if let Some((.., replayed)) = &report.response {
        compare("response body", body(&journal.end.response_body), body(replayed));
    }
    found
}
