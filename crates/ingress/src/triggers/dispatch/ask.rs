//! Asking a function to work off events, until there is an answer that is about them: again at once after conflicts, again soon while
//! there is no permit for it. Neither gives the events back, so neither counts as a delivery.

use std::time::Duration;

use ports::Verdict;
use types::{Code, Elapsed, limits};

use super::{
    reader::Reader,
    request::{Ready, invocation},
    retry::jitter,
};
use crate::{Drain, triggers::Shared};

/// The longest pause before a run that found no permit is tried again.
const BUSY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause before a run that met a conflict is tried again.
const CONFLICT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// What came of it.
pub(crate) enum Asked {
    /// The function or the platform spoke.
    Verdict(Verdict),
    /// The node is to stop, and nothing of the last run happened.
    Stopped,
}

/// Invokes the function until there is a verdict that is about the events. `ran` is told of each run, and whether it met a conflict.
pub(crate) async fn ask(
    shared: &Shared,
    reader: &Reader,
    ready: &[Ready],
    attempt: u32,
    stop: &Drain,
    ran: impl Fn(bool),
) -> Asked {
    let settings = &shared.settings;
    let (mut conflicts, mut refusals) = (0, 0_u32);
    loop {
        let invocation = invocation(reader, ready, attempt, settings.clock.monotonic_ns());
        let response = settings.invoker.invoke(invocation).await;
        let answer = verdict(&response);
        if let Answer::Verdict(verdict) = &answer {
            ran(*verdict == Verdict::Conflict);
        }
        let longest = match answer {
            Answer::Busy => {
                refusals += 1;
                Duration::from_millis(50).saturating_mul(1 << refusals.min(6)).min(BUSY_PAUSE_MAX)
            }
            Answer::Verdict(Verdict::Conflict) if conflicts < limits::UNIT_CONFLICTS => {
                conflicts += 1;
                Duration::from_millis(2).saturating_mul(1 << conflicts.min(9)).min(CONFLICT_PAUSE_MAX)
            }
            Answer::Verdict(verdict) => return Asked::Verdict(verdict),
        };
        let until = settings.clock.monotonic_ns().saturating_add(Elapsed::from(jitter(&*settings.rng, longest)).ns());
        tokio::select! {
            () = stop.clone().begun() => return Asked::Stopped,
            () = settings.clock.sleep_until(until) => {}
        }
    }
}

enum Answer {
    /// The platform had no permit or no room: the function did not run.
    Busy,
    Verdict(Verdict),
}

fn verdict(response: &http::Response<ports::Body>) -> Answer {
    let verdict = response.extensions().get::<Verdict>().cloned();
    let code = response.headers().get("x-dayfly-error").and_then(|value| value.to_str().ok());
    let busy = [Code::E0505, Code::E0512, Code::E0409].iter().any(|busy| code == Some(busy.as_str()));
    match verdict {
        None | Some(Verdict::Unknown { .. }) if busy => Answer::Busy,
        Some(verdict) => Answer::Verdict(verdict),
        None => Answer::Verdict(Verdict::Unknown { reason: format!("an answer {} without a verdict", response.status()) }),
    }
}
