//! The answers that a runtime itself gives to its guest, recorded in order and given again in replay.

use types::journal::Answer;

/// What the guest asks, as far as replay compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Is this one pollable ready?
    IsReady,
    /// Which of so many pollables are ready?
    Poll {
        /// How many.
        count: u32,
    },
    /// Give me at most so many bytes.
    Read {
        /// How many.
        max: u64,
    },
    /// How many bytes may I write?
    Writable,
    /// Has the response arrived?
    Arrived,
    /// What are the trailers?
    Trailers,
}

/// The replay met another question than the recorded one. The guest must be stopped; the tape has kept the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the replay diverged from the record")]
pub struct Diverged;

/// Records in a live run, answers in a replay.
pub trait Tape: Send + Sync {
    /// The recorded answer, in a replay. `Ok(None)` in a live run: find the answer, then `keep` it.
    ///
    /// # Errors
    /// [`Diverged`] if the record has another question here, or none.
    fn recall(&self, question: Question) -> Result<Option<Answer>, Diverged>;
    /// Whether answers are kept at all: if not, there is no need to make one.
    fn keeps(&self) -> bool;
    /// Keeps the answer just given. Nothing happens if answers are not kept.
    fn keep(&self, answer: Answer);
}
