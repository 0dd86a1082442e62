//! What all leases must do.

use std::{any::Any, sync::Arc, time::Duration};

use ports::{Lease, StoreError};

use crate::TestClock;

const TTL: Duration = Duration::from_secs(10);

/// Fresh leases with the clock that they were given.
pub struct LeaseFixture {
    /// The store, or a decorator around one.
    pub lease: Arc<dyn Lease>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// What must live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn lease<F: Future<Output = LeaseFixture>>(make: impl Fn() -> F) {
    one_at_a_time_holds_it(&make().await).await;
    who_was_superseded_is_fenced(&make().await).await;
    names_share_nothing(&make().await).await;
}

async fn one_at_a_time_holds_it(LeaseFixture { lease, clock, .. }: &LeaseFixture) {
    let first = lease.acquire("a", TTL).await.expect("lendable").expect("nobody has it");
    assert_eq!(lease.acquire("a", TTL).await.expect("lendable"), None, "it is taken");
    clock.advance(TTL / 2);
    lease.renew("a", first, TTL).await.expect("it is the holder's");
    clock.advance(TTL / 2);
    assert_eq!(lease.acquire("a", TTL).await.expect("lendable"), None, "it was renewed");
    clock.set_wall(types::Timestamp::from_unix_ms(4_000_000_000_000));
    assert_eq!(lease.acquire("a", TTL).await.expect("lendable"), None, "somebody set the clock, no time passed");
    clock.advance(TTL / 2);
    let second = lease.acquire("a", TTL).await.expect("lendable").expect("its time is over");
    assert!(second > first, "epochs grow");
}

async fn who_was_superseded_is_fenced(LeaseFixture { lease, clock, .. }: &LeaseFixture) {
    let first = lease.acquire("a", TTL).await.expect("lendable").expect("nobody has it");
    clock.advance(TTL);
    lease.renew("a", first, TTL).await.expect("its time was over, and nobody has taken it");
    clock.advance(TTL);
    let second = lease.acquire("a", TTL).await.expect("lendable").expect("its time is over");
    let fenced = lease.renew("a", first, TTL).await;
    assert!(matches!(fenced, Err(StoreError::Fenced(_))), "{fenced:?}");
    lease.release("a", first).await.expect("nothing happens");
    assert_eq!(lease.acquire("a", TTL).await.expect("lendable"), None, "the second still has it");
    lease.release("a", second).await.expect("it is the holder's");
    assert!(lease.acquire("a", TTL).await.expect("lendable").expect("it was given up") > second);
}

async fn names_share_nothing(LeaseFixture { lease, .. }: &LeaseFixture) {
    assert!(lease.acquire("a", TTL).await.expect("lendable").is_some());
    assert!(lease.acquire("b", TTL).await.expect("lendable").is_some());
}
