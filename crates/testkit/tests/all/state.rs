//! The models of queues, units and leases against their suites, and the suites against flawed models.

use std::sync::Arc;

use testkit::{
    TestClock,
    model::{LeaseFlaw, ModelKv, ModelLease, ModelQueue, ModelUnit, QueueFlaw, UnitFlaw},
    suite::{self, LeaseFixture, QueueFixture, UnitFixture},
};

async fn queues(flaw: Option<QueueFlaw>) -> QueueFixture {
    let clock = Arc::new(TestClock::new());
    QueueFixture::new(Arc::new(ModelQueue::with_flaw(clock.clone(), flaw)), clock)
}

async fn units(flaw: Option<UnitFlaw>) -> UnitFixture {
    let clock = Arc::new(TestClock::new());
    let (kv, queue) = (Arc::new(ModelKv::new(clock.clone())), Arc::new(ModelQueue::new(clock.clone())));
    let unit = Arc::new(ModelUnit::with_flaw(kv.clone(), queue.clone(), flaw));
    UnitFixture { unit, kv, queue, clock, keep: Box::new(()) }
}

async fn leases(flaw: Option<LeaseFlaw>) -> LeaseFixture {
    let clock = Arc::new(TestClock::new());
    LeaseFixture { lease: Arc::new(ModelLease::with_flaw(clock.clone(), flaw)), clock, keep: Box::new(()) }
}

#[tokio::test]
async fn the_model_of_queues_passes() {
    suite::queue(|| queues(None)).await;
}

#[tokio::test]
async fn the_model_of_units_passes() {
    suite::unit(|| units(None)).await;
}

#[tokio::test]
async fn the_model_of_leases_passes() {
    suite::lease(|| leases(None)).await;
}

/// The controls: each flaw must fail its suite.
macro_rules! controls {
    ($($name:ident: $suite:ident($make:ident, $flaw:expr);)*) => {$(
        #[tokio::test]
        async fn $name() {
            let outcome = tokio::spawn(suite::$suite(|| $make(Some($flaw)))).await;
            assert!(outcome.is_err_and(|error| error.is_panic()), "the suite did not notice {:?}", $flaw);
        }
    )*};
}

controls! {
    notices_deduplication_that_is_off: queue(queues, QueueFlaw::IgnoresDedup);
    notices_deduplication_that_ends_with_the_message: queue(queues, QueueFlaw::DedupEndsWithAck);
    notices_acknowledgements_without_a_fence: queue(queues, QueueFlaw::UnfencedAcks);
    notices_enqueues_that_forget_their_replies: queue(queues, QueueFlaw::ForgetsReplies);
    notices_groups_that_are_broken_up: queue(queues, QueueFlaw::BreaksGroups);
    notices_delays_by_the_wall_clock: queue(queues, QueueFlaw::DelaysByTheWall);
    notices_dead_letters_that_forget_their_attempts: queue(queues, QueueFlaw::ForgetsAttempts);
    notices_units_that_keep_halves: unit(units, UnitFlaw::KeepsHalves);
    notices_units_that_forget_their_keys: unit(units, UnitFlaw::ForgetsKeys);
    notices_units_that_ignore_stale_receipts: unit(units, UnitFlaw::IgnoresStaleness);
    notices_leases_that_are_lent_twice: lease(leases, LeaseFlaw::LendsTwice);
    notices_leases_that_old_holders_renew: lease(leases, LeaseFlaw::UnfencedRenewals);
}
