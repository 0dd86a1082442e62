//! Measures queues on this machine's disk: `cargo run --release -p store-embedded --example queue_load -- [FOLDER] [BACKLOG]`.
//!
//! Rates on a shared disk mean little by themselves; compare them in one run, and look at the CPU time for each message first.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{
    Clock as _, Queue, Rng as _,
    queue::{Message, QueueName, Receipt},
};
use rustix::time::{ClockId, clock_gettime};
use store_embedded::EmbeddedStore;
use system::SystemClock;

const PRODUCERS: usize = 64;
const CONSUMERS: usize = 8;
const BATCH: usize = 32;
const LEASE: Duration = Duration::from_secs(60);

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

struct Meter<'a> {
    clock: &'a SystemClock,
    began_ns: u64,
    cpu_ns: u64,
}

impl<'a> Meter<'a> {
    fn start(clock: &'a SystemClock) -> Self {
        Self { clock, began_ns: clock.monotonic_ns(), cpu_ns: cpu_ns() }
    }
    fn print(&self, what: &str, messages: usize, times: &mut [u64]) {
        let (wall, cpu) = (self.clock.monotonic_ns() - self.began_ns, cpu_ns() - self.cpu_ns);
        let rate = messages as f64 / (wall as f64 / 1e9);
        print!("{what:<40} {rate:>9.0}/s {:>6.1} µs CPU each", cpu as f64 / 1e3 / messages as f64);
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).map(|ns| *ns as f64 / 1e6);
        if let (Some(middle), Some(late)) = (at(50), at(99)) {
            print!("   p50 {middle:.2} ms, p99 {late:.2} ms");
        }
        println!();
    }
}

fn name(name: &str) -> QueueName {
    QueueName(format!("bench/dev/{name}"))
}

/// Nothing that could be stored in less space than it has.
fn noise(size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    system::SystemRng.fill(&mut bytes);
    Bytes::from(bytes)
}

/// What applications send: names and numbers.
fn orders() -> Bytes {
    let mut text = String::new();
    for i in 0_u32.. {
        let (number, price) = (i.wrapping_mul(2_654_435_761), i.wrapping_mul(40_503) % 10_000);
        text += &format!(
            "{{\"order\":\"ord_{number:010}\",\"customer\":\"c{}\",\"cents\":{price},\"paid\":{}}},",
            number % 977,
            i % 3 == 0
        );
        if text.len() >= 4_096 {
            break;
        }
    }
    text.truncate(4_096);
    Bytes::from(text)
}

/// Producers that each wait for their message to be durable.
async fn produce(queue: &Arc<dyn Queue>, clock: &Arc<SystemClock>, to: &QueueName, body: &Bytes, messages: usize) -> Vec<u64> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..PRODUCERS {
        let (queue, clock, to, body) = (queue.clone(), clock.clone(), to.clone(), body.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..messages / PRODUCERS {
                let began = clock.monotonic_ns();
                let message = Message { body: body.clone(), ..Message::default() };
                queue.enqueue(&to, vec![message], None).await.expect("there is room");
                times.push(clock.monotonic_ns() - began);
            }
            times
        });
    }
    tasks.join_all().await.concat()
}

/// Consumers that claim and acknowledge until nothing is left or they have had so many; gives the number.
async fn consume(queue: &Arc<dyn Queue>, from: &QueueName, batch: usize, each_max: usize) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONSUMERS {
        let (queue, from) = (queue.clone(), from.clone());
        tasks.spawn(async move {
            let mut seen = 0;
            while seen < each_max {
                let held = queue.claim(&from, batch, LEASE, Duration::ZERO).await.expect("claimable");
                if held.is_empty() {
                    break;
                }
                seen += held.len();
                let receipts: Vec<Receipt> = held.iter().map(|delivery| delivery.receipt).collect();
                queue.ack(&from, &receipts).await.expect("there is room");
            }
            seen
        });
    }
    tasks.join_all().await.into_iter().sum()
}

/// One message at a time to a consumer that waits: from the call of `enqueue` to the delivery, and to the answer.
async fn hand_over(queue: &Arc<dyn Queue>, clock: &Arc<SystemClock>, rounds: usize) -> (Vec<u64>, Vec<u64>) {
    let (to, (mut delivered, mut answered)) = (name("handed"), (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        let (waiting, of, at) = (queue.clone(), to.clone(), clock.clone());
        let consumer = tokio::spawn(async move {
            let held = waiting.claim(&of, 1, LEASE, Duration::from_secs(60)).await.expect("claimable");
            (at.monotonic_ns(), held)
        });
        tokio::time::sleep(Duration::from_millis(2)).await;
        let began = clock.monotonic_ns();
        queue.enqueue(&to, vec![Message::default()], None).await.expect("there is room");
        answered.push(clock.monotonic_ns() - began);
        let (at, held) = consumer.await.expect("it was delivered");
        delivered.push(at - began);
        queue.ack(&to, &[held[0].receipt]).await.expect("there is room");
    }
    (delivered, answered)
}

async fn drain(queue: &Arc<dyn Queue>, clock: &Arc<SystemClock>, backlog: usize) {
    let of = name("backlog");
    let meter = Meter::start(clock);
    for _ in 0..backlog / 1_000 {
        let messages = vec![Message { body: Bytes::from(vec![0x5a; 256]), ..Message::default() }; 1_000];
        queue.enqueue(&of, messages, None).await.expect("there is room");
    }
    meter.print("backlog: enqueue by 1,000", backlog, &mut []);
    for part in ["first", "second", "third", "last"] {
        let meter = Meter::start(clock);
        let drained = consume(queue, &of, BATCH, backlog / 4 / CONSUMERS).await;
        meter.print(&format!("backlog: {part} quarter, {CONSUMERS} × {BATCH}"), drained, &mut []);
    }
}

#[tokio::main]
async fn main() -> Result<(), types::Problem> {
    let dir = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("dayfly-queue-load"), Into::into);
    let backlog = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let clock = Arc::new(SystemClock::new());
    let store = EmbeddedStore::open(&dir, clock.clone())?;
    let queue = store.queue();
    for (what, body, messages) in
        [("256 B", noise(256), 64_000), ("4 KiB", noise(4_096), 32_000), ("4 KiB of JSON", orders(), 32_000)]
    {
        let of = name(what);
        let meter = Meter::start(&clock);
        let mut times = produce(&queue, &clock, &of, &body, messages).await;
        meter.print(&format!("enqueue {what}, {PRODUCERS} producers"), messages, &mut times);
        let meter = Meter::start(&clock);
        let seen = consume(&queue, &of, BATCH, usize::MAX).await;
        meter.print(&format!("claim + ack {what}, {CONSUMERS} × {BATCH}"), seen, &mut []);
    }
    let meter = Meter::start(&clock);
    let (mut delivered, mut answered) = hand_over(&queue, &clock, 300).await;
    meter.print("one by one: enqueue to delivery", 300, &mut delivered);
    meter.print("one by one: enqueue to its answer", 300, &mut answered);
    drain(&queue, &clock, backlog).await;
    drop((queue, store));
    tokio::time::sleep(Duration::from_millis(10)).await;
    let meter = Meter::start(&clock);
    drop(EmbeddedStore::open(&dir, clock.clone())?);
    meter.print("open again", 1, &mut []);
    std::fs::remove_dir_all(&dir).expect("what was made here can be removed");
    Ok(())
}
