//! Consumers that wait for messages. One that waits costs a place in its queue's list and nothing else.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use ports::{StoreError, queue::Delivery};
use tokio::sync::oneshot;

pub(super) type Answer = Result<Vec<Delivery>, StoreError>;

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const GONE: u8 = 2;

/// One call of `claim`. The commit thread and the caller agree on `state` about who comes first: a delivery, or the end of waiting.
pub(super) struct Waiter {
    pub(super) max: usize,
    pub(super) lease: Duration,
    /// Whether it takes an empty answer at once.
    pub(super) is_patient: bool,
    state: AtomicU8,
    reply: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl Waiter {
    pub(super) fn new(max: usize, lease: Duration, is_patient: bool) -> (Self, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        (Self { max, lease, is_patient, state: AtomicU8::new(WAITING), reply: Mutex::new(Some(reply)) }, answer)
    }

    /// Messages are for this one from now on; false if it has gone.
    pub(super) fn take(&self) -> bool {
        self.swap(WAITING, TAKEN)
    }

    /// The messages are not for it after all: their batch was undone.
    pub(super) fn give_back(&self) {
        self.swap(TAKEN, WAITING);
    }

    /// Waits no longer; false if messages are on their way.
    pub(super) fn leave(&self) -> bool {
        self.swap(WAITING, GONE)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state.load(Ordering::SeqCst) == GONE
    }

    /// Answers; a caller that was dropped hears nothing.
    pub(super) fn answer(&self, answer: Answer) {
        if let Some(reply) = self.reply.lock().take() {
            drop(reply.send(answer));
        }
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
