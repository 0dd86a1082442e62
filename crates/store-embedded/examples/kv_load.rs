//! Measures key-value stores on this machine's disk: `cargo run -p store-embedded --example kv_load`.
//!
//! Rates on a shared disk mean little by themselves; compare them in one run, and look at the CPU time for each call first.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{Clock as _, Kv};
use rustix::time::{ClockId, clock_gettime};
use store_embedded::EmbeddedStore;
use system::SystemClock;
use types::kv::{IdempotencyKey, Namespace, Transaction, Write};

const CALLERS: usize = 64;
const VALUE_BYTES: usize = 256;
const KEYS: usize = 5_000;

struct Meter<'a> {
    clock: &'a SystemClock,
    began_ns: u64,
    cpu_ns: u64,
}

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

impl<'a> Meter<'a> {
    fn start(clock: &'a SystemClock) -> Self {
        Self { clock, began_ns: clock.monotonic_ns(), cpu_ns: cpu_ns() }
    }
    fn print(&self, what: &str, calls: usize) {
        let (wall, cpu) = (self.clock.monotonic_ns() - self.began_ns, cpu_ns() - self.cpu_ns);
        let rate = calls as f64 / (wall as f64 / 1e9);
        println!("{what:<34} {rate:>10.0}/s {:>8.1} µs CPU each", cpu as f64 / 1e3 / calls as f64);
    }
}

fn namespace() -> Namespace {
    Namespace("bench/dev/x".into())
}

fn put(i: usize, idempotency: Option<IdempotencyKey>) -> Transaction {
    let key = Bytes::from(format!("key/{:06}", i % KEYS));
    let value = Bytes::from(vec![0x5a; VALUE_BYTES]);
    Transaction { conditions: vec![], writes: vec![Write::Put { key, value, expires: None }], idempotency, cause: None }
}

async fn puts(kv: &Arc<dyn Kv>, calls: usize, named: bool) {
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let kv = kv.clone();
        tasks.spawn(async move {
            for i in 0..calls / CALLERS {
                let at = i * CALLERS + caller;
                let key = named.then(|| IdempotencyKey(format!("{at}")));
                kv.commit(&namespace(), put(at, key)).await.expect("there is room");
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::main]
async fn main() -> Result<(), types::Problem> {
    let dir = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("dayfly-kv-load"), Into::into);
    let clock = Arc::new(SystemClock::new());
    let meter = Meter::start(&clock);
    let store = EmbeddedStore::open(&dir, clock.clone())?;
    meter.print("open", 1);
    let kv = store.kv();
    for (what, calls, named) in [("put, 64 callers", 32_000, false), ("put with idempotency, 64 callers", 32_000, true)] {
        let meter = Meter::start(&clock);
        puts(&kv, calls, named).await;
        meter.print(what, calls);
    }
    let meter = Meter::start(&clock);
    for i in 0..200 {
        kv.commit(&namespace(), put(i, None)).await.expect("there is room");
    }
    meter.print("put, one caller", 200);
    let meter = Meter::start(&clock);
    for i in 0..200_000 {
        let key = Bytes::from(format!("key/{:06}", i * 7 % KEYS));
        kv.get(&namespace(), &key).await.expect("readable").expect("it was put");
    }
    meter.print("get, one caller", 200_000);
    let meter = Meter::start(&clock);
    for _ in 0..200 {
        kv.list(&namespace(), &Bytes::from("key/"), None, 100).await.expect("readable");
    }
    meter.print("list of 100, one caller", 200);
    drop((kv, store));
    tokio::time::sleep(Duration::from_millis(10)).await;
    let meter = Meter::start(&clock);
    let store = EmbeddedStore::open(&dir, clock.clone())?;
    meter.print("open again", 1);
    drop(store);
    std::fs::remove_dir_all(&dir).expect("what was made here can be removed");
    Ok(())
}
