//! The way of an invocation: `admit → place → call → settle`, on one page.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response};
use ports::{Body, Invocation, Loaded};
use types::{Code, Elapsed, InvocationId, Problem, Start, StartClass, journal::Failure, limits};

use crate::{
    engine::Services,
    flight::{Facts, Flight, Origin, verdict_of_refusal},
    gate::Permit,
    refuse,
};

/// The header that names the invocation to its caller.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs one invocation. Dropping the future at any point ends the guest and settles the invocation as one whose client went away.
pub(crate) async fn run(services: Arc<Services>, invocation: Invocation) -> Response<Body> {
    // The invocation gets its identity first: whatever becomes of it can be asked for by that.
    let Invocation { function, request, parent, received_ns, depth, batch } = invocation;
    let facts = Facts::new(&services, function, &request, Origin { parent, received_ns, depth, batch: batch.as_ref() });
    let id = facts.id;

    // Admit: a permit exists before any code of the function runs.
    let permit = match admit(&services, &facts).await {
        Ok(permit) => permit,
        Err(problem) => return facts.refuse(&services, &problem, batch.is_some()),
    };
    let queued = facts.elapsed(&services);

    // Place: the code, from memory or from disk.
    let (loaded, class) = match place(&services, &facts).await {
        Ok(placed) => placed,
        Err(problem) => return facts.refuse(&services, &problem, batch.is_some()),
    };
    let placed = facts.elapsed(&services);
    let start = Start { class, queued, loaded: placed.less(queued), instantiated: Elapsed::ZERO };

    // Call: the guest runs right here until it has answered, and elsewhere from then on if it goes on. Settling is the flight's end,
    // however it ends. Where effects count only if the function succeeds, there is no response before they are committed.
    let is_atomic = facts.is_atomic();
    let flight = Flight::begin(services, facts, start, permit, loaded, request);
    let mut response =
        if is_atomic || batch.is_some() { Box::pin(flight.settled_response(batch)).await } else { flight.response().await };
    name(&mut response, id);
    response
}

async fn admit(services: &Services, facts: &Facts) -> Result<Permit, Problem> {
    let depth = facts.delivery.depth;
    if depth > limits::CAUSAL_DEPTH {
        let problem = Problem::limit(Code::E0516, "causal depth", depth, limits::CAUSAL_DEPTH);
        return Err(problem.help(format!("dayfly trace {}", facts.trace.trace)));
    }
    services.memory.admit()?;
    services.gates.admit(&facts.function).await
}

async fn place(services: &Services, facts: &Facts) -> Result<(Arc<dyn Loaded>, StartClass), Problem> {
    let digest = &facts.function.artifact;
    if let Some(loaded) = services.runtime.resident(digest) {
        return Ok((loaded, StartClass::Resident));
    }
    // Loading is part of the invocation's time: code that must be compiled again may take longer than that.
    let allowed = Elapsed::from(facts.function.function.limits.time);
    let deadline = services.clock.sleep_until(facts.began_ns.saturating_add(allowed.ns()));
    tokio::select! {
        loaded = services.runtime.load(digest, &services.artifacts) => loaded,
        () = deadline => Err(Problem::limit(Code::E0502, "time", "all of it spent on loading the code", allowed)),
    }
}

/// Says on the response which invocation gave it.
fn name(response: &mut Response<Body>, id: InvocationId) {
    let value = HeaderValue::from_bytes(&id.to_ascii()).expect("an id is letters and digits");
    response.headers_mut().insert(REQUEST_ID, value);
}

impl Facts {
    /// Turns the invocation away before any code of the function ran: recorded, not charged.
    fn refuse(self, services: &Services, problem: &Problem, is_batch: bool) -> Response<Body> {
        let (failure, id) = (Failure { code: problem.code, message: problem.message.clone() }, self.id);
        crate::flight::record_refusal(services, self, problem);
        let mut response = refuse::response(failure, id);
        if is_batch {
            response.extensions_mut().insert(verdict_of_refusal(problem));
        }
        name(&mut response, id);
        response
    }
}
