//! The way from a trigger to a function.

use std::sync::Arc;

use types::{
    LiveFunction, TraceContext,
    queue::{QueueName, Receipt},
    stream::{Epoch, GroupName, Partition, Sequence, StreamName},
};

use crate::{Body, BoxFuture};

/// What a trigger asks for.
#[derive(Debug)]
pub struct Invocation {
    /// The function of the revision that is to run.
    pub function: Arc<LiveFunction>,
    /// The request. Its URI is absolute: scheme, authority, path and query as the guest is to see them.
    pub request: http::Request<Body>,
    /// The caller's place in a trace, if it named one.
    pub parent: Option<TraceContext>,
    /// When the trigger received it, by `Clock::monotonic_ns`.
    pub received_ns: u64,
    /// How many invocations caused one another before this one; 0 from outside. Past `limits::CAUSAL_DEPTH` it is refused as `E0516`.
    pub depth: u32,
    /// The events that it is to work off, if it is no request.
    pub batch: Option<Batch>,
}

/// Events that one invocation works off, and how each is acknowledged. What the function does to the platform's state is committed with
/// the acknowledgement of those that succeeded, if its effects are atomic; else the acknowledgement alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// `queue orders`, `cron`: what started it, in a few words, for traces and logs.
    pub cause: String,
    /// The events, in the order in which the function gets them.
    pub items: Vec<Item>,
    /// The number of this delivery, from 1; of several the largest.
    pub attempt: u32,
    /// Traces of further events that were put into the batch; the first one's is the parent.
    pub links: Vec<TraceContext>,
    /// The function gets one CloudEvent, not a list of them: it cannot fail in part.
    pub is_single: bool,
}

/// One event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The CloudEvent's id, by which the function may say that it failed.
    pub id: String,
    /// What happens when it succeeded.
    pub acknowledge: Acknowledge,
}

/// How an event is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledge {
    /// The message goes.
    Message(QueueName, Receipt),
    /// The group goes on after this record. Only what comes before the first failed record of a batch is acknowledged.
    Record {
        /// The stream.
        stream: StreamName,
        /// The group.
        group: GroupName,
        /// The partition.
        partition: Partition,
        /// The record after this one.
        next: Sequence,
        /// The right to say so.
        epoch: Epoch,
    },
}

/// What became of a batch: in the extensions of the response to its invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It ran. Those events that are not named here succeeded and are acknowledged, with all effects, durably.
    Done {
        /// The ids of those that failed.
        failed: Vec<String>,
    },
    /// All of it failed: the function trapped, ran out of time, answered other than 2xx, or named ids that are not in the batch. Nothing of
    /// it happened where effects are atomic.
    Failed {
        /// Why, for the dead letter.
        reason: String,
    },
    /// Nothing happened because somebody else was faster: a value that the function had read was changed meanwhile. No failure of the
    /// function: it is to run again, soon.
    Conflict,
    /// Nothing happened because a receipt or an epoch was stale: somebody else has these events by now.
    Superseded,
    /// It is not known what happened, or the platform could not run the function: the events come again when their lease is over.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Runs functions: admission, placement, call and settlement.
pub trait Invoker: Send + Sync {
    /// Runs the invocation and gives the response. With a batch the response is given when everything is settled, its body is what the
    /// function answered, up to a bound, and its extensions hold the [`Verdict`].
    /// Failures are responses too: their body is the problem, their status the code's. What a stranger is not told of them stands in the
    /// extensions, as a [`types::journal::Failure`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the invocation and settles it as `E0511`.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<http::Response<Body>>;
}
