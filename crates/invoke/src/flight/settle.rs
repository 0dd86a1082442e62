//! The end of an invocation: outcome, usage, record, and whether its journal is kept.

use std::sync::Arc;

use ports::{
    runtime::{Ended, Fault},
    telemetry::SealedJournal,
};
use types::{
    ByteCount, Code, Elapsed, Outcome, Problem, Start, Usage,
    journal::{BodyDigest, End, Failure, Invoke, Journal, Level, LogLine},
    record::{InvocationRecord, Span},
};

use super::{Facts, Flight, no_start};
use crate::{
    engine::Services,
    journal::{
        Writer,
        fold::{self, Views},
        seal,
        tally::Counts,
    },
};

impl Flight {
    /// Settles the invocation by how its guest ended.
    pub(super) fn settle(&mut self, ended: Ended) {
        let outcome = self.outcome_of(ended);
        self.settle_as(outcome, None);
    }

    /// What the guest's end means.
    pub(super) fn outcome_of(&mut self, ended: Ended) -> Outcome {
        // The guest goes first: what it had printed of a line when it was stopped is noted as it goes.
        self.run = None;
        match self.scope.slot.client_fault() {
            Some(code) => Outcome::Failed { code, message: code.title().to_owned(), status: code.status() },
            None => outcome(ended, self.scope.slot.status(), self.scope.slot.broken_off()),
        }
    }

    /// Settles the invocation: called once, however it ended. `commit` is shown after the guest's own calls.
    pub(super) fn settle_as(&mut self, outcome: Outcome, commit: Option<Span>) {
        assert!(!self.settled, "an invocation is settled once");
        self.settled = true;
        let at = self.scope.pen.elapsed();
        let failure = match &outcome {
            Outcome::Failed { code, message, .. } => Some(Failure { code: *code, message: message.clone() }),
            Outcome::Answered { .. } => None,
        };
        let writer = self.scope.pen.write(|writer| std::mem::replace(writer, Writer::new(false)));
        self.start.instantiated =
            writer.instantiated.map_or(Elapsed::ZERO, |made| made.less(self.start.queued).less(self.start.loaded));
        let usage = usage(&writer.counts, &self.facts, at, self.cpu);
        let mut views = fold::views(&writer, at);
        views.spans.extend(commit);
        views.logs.extend(exception(&outcome, at));
        let kept = self.facts.detailed && (self.facts.kept || fold::is_failure(&outcome));
        let journal = kept.then(|| sealed(&self.services, &self.facts, writer, at, &outcome, usage));
        let record = record(&self.facts, self.start, Settlement { duration: at, outcome, usage, journal_kept: kept }, views);
        self.services.telemetry.record(Arc::new(record), journal);
        self.scope.slot.close(failure);
    }
}

/// Notes an invocation that was turned away before any code ran. It is not charged.
pub(crate) fn record_refusal(services: &Services, facts: Facts, problem: &Problem) {
    let at = facts.elapsed(services);
    let outcome = Outcome::Failed { code: problem.code, message: problem.to_string(), status: problem.code.status() };
    let views = Views { spans: Vec::new(), logs: Vec::new(), refusals: Vec::new() };
    let settlement = Settlement { duration: at, outcome, usage: Usage::default(), journal_kept: false };
    let record = record(&facts, no_start(), settlement, views);
    services.telemetry.record(Arc::new(record), None);
}

pub(crate) fn outcome(ended: Ended, status: Option<u16>, broken: Option<String>) -> Outcome {
    match (ended, status) {
        (Ended::Returned, Some(status)) => match broken {
            None => Outcome::Answered { status },
            Some(message) => Outcome::Failed { code: Code::E0509, message, status },
        },
        (Ended::Returned, None) => {
            let message = "the function returned without setting a response".into();
            Outcome::Failed { code: Code::E0504, message, status: Code::E0504.status() }
        }
        (Ended::Stopped(Fault { code, mut message, backtrace }), status) => {
            backtrace.iter().for_each(|frame| {
                message.push_str("\n  ");
                message.push_str(frame);
            });
            Outcome::Failed { code, message, status: status.unwrap_or(code.status()) }
        }
    }
}

/// An exception that nobody caught, as a line of log: where people look for it. It is told of the guest and not by it, so it costs nothing.
fn exception(outcome: &Outcome, at: Elapsed) -> Option<LogLine> {
    match outcome {
        Outcome::Failed { code: Code::E0519 | Code::E0520 | Code::E0521, message, .. } => {
            Some(LogLine { at, level: Level::Error, context: "exception".to_owned(), text: message.clone() })
        }
        _ => None,
    }
}

fn usage(counts: &Counts, facts: &Facts, wall: Elapsed, cpu: Elapsed) -> Usage {
    let memory_peak = ByteCount(counts.memory_peak);
    Usage {
        requests: 1,
        wall,
        cpu,
        memory_peak,
        memory_time: Usage::memory_time_of(memory_peak, wall),
        bytes_in: ByteCount(counts.bytes_in + facts.head_bytes),
        bytes_out: ByteCount(counts.bytes_out),
        kv_calls: counts.kv_calls,
        outbound_calls: counts.outbound_calls,
        outbound_bytes: ByteCount(counts.outbound_bytes),
        log_bytes: ByteCount(counts.log_bytes),
        services: counts.services,
    }
}

/// What came out of an invocation.
struct Settlement {
    duration: Elapsed,
    outcome: Outcome,
    usage: Usage,
    journal_kept: bool,
}

fn record(facts: &Facts, start: Start, settlement: Settlement, views: Views) -> InvocationRecord {
    let Settlement { duration, outcome, usage, journal_kept } = settlement;
    let Views { spans, logs, refusals } = views;
    InvocationRecord {
        id: facts.id,
        app: facts.function.key.app.clone(),
        env: facts.function.key.env.clone(),
        function: facts.function.function.name.clone(),
        revision: facts.function.revision,
        trace: facts.trace.trace,
        span: facts.trace.span,
        parent: facts.parent,
        cause: facts.cause(),
        at: facts.at,
        duration,
        start,
        outcome,
        usage,
        spans,
        logs,
        refusals,
        journal_kept,
        delivery: facts.delivery.clone(),
    }
}

/// The whole journal, encoded and sealed.
fn sealed(services: &Services, facts: &Facts, writer: Writer, at: Elapsed, outcome: &Outcome, usage: Usage) -> SealedJournal {
    let response_body: BodyDigest = writer.body.digest();
    let (incomplete, cut) = (writer.cut.is_some(), writer.cut);
    let function = &facts.function;
    let journal = Journal {
        invoke: Invoke {
            id: facts.id,
            app: function.key.app.clone(),
            env: function.key.env.clone(),
            function: function.function.name.clone(),
            revision: function.revision,
            artifact: function.artifact,
            engine: services.runtime.engine().to_owned(),
            request: facts.request_head(),
            trace: facts.trace,
            at: facts.at,
            seed: facts.seed,
            limits: function.function.limits,
            environment: function.function.env.clone(),
            uses: function.function.uses.clone(),
        },
        entries: fold::entries(writer.notes, cut),
        incomplete,
        end: End { at, outcome: outcome.clone(), usage, response_body },
    };
    let mut nonce = [0; 12];
    services.rng.fill(&mut nonce);
    SealedJournal { id: facts.id, sealed: seal::seal(&services.seal_key, &function.key, &journal, nonce) }
}
