//! What the watch finds due, by a clock of the test's own.

use std::sync::atomic::{AtomicBool, AtomicU32};

use parking_lot::Mutex;

use super::*;

#[derive(Default)]
struct Hand(AtomicU64);
impl Clock for Hand {
    fn now(&self) -> types::Timestamp {
        types::Timestamp::default()
    }
    fn monotonic_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn sleep_until(&self, _: u64) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
}

/// A watch with 10 s for a head and 60 s of silence, its connection and its clock.
fn watch() -> (Watch, Arc<Conn>, Arc<Hand>) {
    let conn = Arc::new(Conn {
        peer: http::HeaderValue::from_static("192.0.2.1"),
        local: http::uri::Authority::from_static("localhost"),
        host: Mutex::new(None),
        seen: AtomicU64::new(0),
        open: AtomicU32::new(0),
        served: AtomicU64::new(0),
        head_since: AtomicU64::new(0),
        blocked_since: AtomicU64::new(0),
        head_expired: AtomicBool::new(false),
        broken: AtomicBool::new(false),
        refusal: Mutex::new(None),
    });
    let clock = Arc::new(Hand::default());
    (Watch::new(&GatewayLimits::default(), Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&conn)), conn, clock)
}

const SECOND: u64 = 1_000_000_000;

/// Looks at this second; gives what was due and the second of the next look.
fn look(watch: &mut Watch, clock: &Hand, second: u64) -> (Verdict, u64) {
    clock.0.store(second * SECOND, Ordering::Relaxed);
    (watch.judge(), watch.armed / SECOND)
}

#[test]
fn a_head_is_due_ten_seconds_after_it_began_however_late_that_was() {
    let (mut watch, conn, clock) = watch();
    assert_eq!(look(&mut watch, &clock, 10), (Verdict::Wait, 20));
    conn.head_since.store(13 * SECOND, Ordering::Relaxed);
    assert_eq!(look(&mut watch, &clock, 20), (Verdict::Wait, 23));
    assert_eq!(look(&mut watch, &clock, 23), (Verdict::ExpireHead, 33));
}

#[test]
fn silence_counts_from_the_look_that_noticed_it_and_a_request_ends_it() {
    let (mut watch, conn, clock) = watch();
    for second in [10, 20, 30, 40, 50] {
        assert_eq!(look(&mut watch, &clock, second).0, Verdict::Wait);
    }
    conn.served.fetch_add(1, Ordering::Relaxed);
    assert_eq!(look(&mut watch, &clock, 60), (Verdict::Wait, 70));
    assert_eq!(look(&mut watch, &clock, 110), (Verdict::Wait, 120));
    assert_eq!(look(&mut watch, &clock, 120).0, Verdict::CloseIdle);
}

#[test]
fn an_open_request_is_never_silence_and_a_peer_that_takes_nothing_is_cut_off() {
    let (mut watch, conn, clock) = watch();
    conn.open.store(1, Ordering::Relaxed);
    for second in (10..900).step_by(10) {
        assert_eq!(look(&mut watch, &clock, second), (Verdict::Wait, second + 10));
    }
    conn.blocked_since.store(900 * SECOND, Ordering::Relaxed);
    assert_eq!(look(&mut watch, &clock, 955), (Verdict::Wait, 960));
    assert_eq!(look(&mut watch, &clock, 960).0, Verdict::Cut);
}
