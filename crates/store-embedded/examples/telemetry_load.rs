//! What telemetry costs: the time that `record` takes of a request, and the CPU time of everything behind it.
//!
//! `cargo run -p store-embedded --example telemetry_load -- [RECORDS]`. Absolute figures belong to the machine; the bounds to hold are
//! well under 1 µs for `record`, and a few µs of CPU time a record in all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ports::{BoxFuture, Clock, Telemetry};
use rustix::time::{ClockId, clock_gettime};
use store_embedded::telemetry::{RetentionDays, TelemetryStore};
use testkit::suite::telemetry::{
    BEGINNING, everything,
    records::{Chance, record},
};
use types::{AppName, Elapsed, EnvName, FunctionName, Timestamp, record::InvocationRecord};

/// A clock of the wall that stands still, so that every record lies in one file.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        BEGINNING
    }
    fn monotonic_ns(&self) -> u64 {
        ns(ClockId::Monotonic)
    }
    fn sleep_until(&self, _: u64) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
}

fn ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

#[derive(Default)]
struct Names(BTreeSet<AppName>, BTreeSet<EnvName>, BTreeSet<FunctionName>);

/// Records of a node share their names, since all take them from one snapshot.
fn share_names(record: InvocationRecord, names: &mut Names) -> Arc<InvocationRecord> {
    fn shared<T: Ord + Clone>(known: &mut BTreeSet<T>, name: T) -> T {
        known.insert(name.clone());
        known.get(&name).unwrap_or(&name).clone()
    }
    let Names(apps, envs, functions) = names;
    let InvocationRecord { app, env, function, .. } = record.clone();
    let (app, env, function) = (shared(apps, app), shared(envs, env), shared(functions, function));
    Arc::new(InvocationRecord { app, env, function, ..record })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let wanted = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let dir = tempfile::tempdir().expect("a folder");
    let store = TelemetryStore::open(dir.path(), Arc::new(Stopped), RetentionDays(14)).expect("the store opens");
    let (mut chance, mut names) = (Chance::new(1), Names::default());
    let mut make = |i: u64| share_names(record(&mut chance, BEGINNING.plus(Elapsed::from_ns(i * 20_000))), &mut names);
    let records: Vec<_> = (0..wanted).map(&mut make).collect();
    let (mut record_ns, cpu) = (0, ns(ClockId::ProcessCPUTime));
    for burst in records.chunks(5_000) {
        let begun = ns(ClockId::ThreadCPUTime);
        burst.iter().for_each(|record| store.record(Arc::clone(record), None));
        record_ns += ns(ClockId::ThreadCPUTime) - begun;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.flush().await.expect("a flush");
    let cpu = ns(ClockId::ProcessCPUTime) - cpu;
    let size: u64 =
        std::fs::read_dir(dir.path()).expect("the folder").flatten().filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum();
    println!("record(): {} ns, all CPU: {} ns, disk: {} B a record", record_ns / wanted, cpu / wanted, size / wanted);
    println!("{:?}", store.health());
    let begun = ns(ClockId::Monotonic);
    let text = ports::telemetry::Filter { text: Some("payment späť took 77".into()), ..everything() };
    let found = store.logs(text).await.expect("a search").len();
    println!("substring over all logs: {found} found in {} ms", (ns(ClockId::Monotonic) - begun) / 1_000_000);
}
