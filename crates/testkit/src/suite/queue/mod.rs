//! What every queue must do.

mod dead;
mod dedup;
mod groups;
mod holding;
mod random;
mod sending;
mod waiting;

use std::{any::Any, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{
    Queue,
    queue::{Delivery, Enqueued, Message, MessageId, QueueName, Receipt, Settled},
};

use super::soon;
use crate::{TestClock, rng::seeds};

/// A lease that is long in these cases.
const LEASE: Duration = Duration::from_secs(30);
const NOW: Duration = Duration::ZERO;

/// Fresh queues with the clock that they were given.
pub struct QueueFixture {
    /// The store, or a decorator around one.
    pub queue: Arc<dyn Queue>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Three queues that the suite may use; the last takes dead letters.
    pub names: [QueueName; 3],
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl QueueFixture {
    /// A fixture that keeps nothing and may use any queue.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>, clock: Arc<TestClock>) -> Self {
        let names = ["first", "second", "lost"].map(|name| QueueName(format!("shop/dev/{name}")));
        Self { queue, clock, names, keep: Box::new(()) }
    }
    /// Keeps something alive with the store.
    #[must_use]
    pub fn keeping(mut self, keep: impl Any + Send + Sync) -> Self {
        self.keep = Box::new(keep);
        self
    }
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn queue<F: Future<Output = QueueFixture>>(make: impl Fn() -> F) {
    macro_rules! run {
        ($($module:ident::$case:ident),* $(,)?) => {$(
            eprintln!("case {}::{}", stringify!($module), stringify!($case));
            $module::$case(&make().await).await;
        )*};
    }
    run!(
        sending::messages_come_with_all_that_was_sent,
        sending::a_call_is_stored_wholly_or_not_at_all,
        sending::refuses_what_is_over_a_limit,
        sending::a_repeated_call_has_one_effect,
        sending::delays_are_never_early_whatever_the_wall_clock_says,
        sending::lists_queues_in_pages,
        sending::peeks_in_pages_without_taking,
        sending::purges_everything,
        sending::forgets_what_is_older_than_it_keeps,
        waiting::who_waits_gets_what_comes,
        waiting::who_waits_gets_what_becomes_due,
        waiting::waiting_ends_with_its_time,
        waiting::who_left_takes_nothing_along,
        waiting::several_share_what_comes,
        holding::a_receipt_is_good_until_the_next_delivery,
        holding::a_late_acknowledgement_counts_if_nobody_else_has_it,
        holding::extending_holds_on,
        holding::what_is_given_back_comes_again_after_its_delay,
        dedup::a_key_makes_messages_one_until_its_time_is_over,
        dedup::another_body_is_a_conflict,
        groups::come_in_order_to_one_at_a_time,
        groups::what_was_given_back_blocks_what_is_behind,
        groups::a_lease_that_ran_out_blocks_too,
        groups::do_not_wait_for_one_another,
        dead::letters_say_where_they_come_from_and_why,
        dead::a_buried_message_frees_its_group,
        dead::letters_go_back_as_new,
    );
    for seed in seeds(4) {
        random::agrees_with_the_model(&make().await, seed).await;
    }
}

fn body(text: &str) -> Message {
    Message { body: Bytes::copy_from_slice(text.as_bytes()), ..Message::default() }
}
fn keyed(text: &str, dedup: &str) -> Message {
    Message { dedup: Some(Bytes::copy_from_slice(dedup.as_bytes())), ..body(text) }
}
fn grouped(text: &str, group: &str) -> Message {
    Message { group: Some(Bytes::copy_from_slice(group.as_bytes())), ..body(text) }
}
fn receipts(deliveries: &[Delivery]) -> Vec<Receipt> {
    deliveries.iter().map(|delivery| delivery.receipt).collect()
}
fn texts(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| String::from_utf8_lossy(&delivery.message.body).into_owned()).collect()
}

// Short forms for the first queue, for cases that don't care about errors.
impl QueueFixture {
    fn first(&self) -> &QueueName {
        &self.names[0]
    }
    async fn send(&self, messages: impl Into<Vec<Message>>) -> Vec<MessageId> {
        let enqueued = self.queue.enqueue(self.first(), messages.into(), None).await.expect("there is room");
        enqueued.into_iter().map(|(Enqueued::New(id) | Enqueued::Duplicate(id))| id).collect()
    }
    async fn take(&self, max: usize) -> Vec<Delivery> {
        self.queue.claim(self.first(), max, LEASE, NOW).await.expect("claimable")
    }
    async fn ack(&self, deliveries: &[Delivery]) -> Vec<Settled> {
        self.queue.ack(self.first(), &receipts(deliveries)).await.expect("there is room")
    }
    async fn nack(&self, deliveries: &[Delivery], delay: Duration) {
        let settled = self.queue.nack(self.first(), &receipts(deliveries), delay).await.expect("there is room");
        assert!(settled.iter().all(|settled| *settled == Settled::Done));
    }
    async fn counts(&self) -> [u64; 3] {
        let stats = self.queue.stats(self.first()).await.expect("readable");
        [stats.ready, stats.delayed, stats.claimed]
    }
}
