//! Records made by chance, from a seed: of few apps and functions, so that searches find some and miss some.

use types::{
    AppName, ByteCount, Code, Elapsed, EnvName, FunctionName, InvocationId, Outcome, RevisionNumber, SpanId, Start, StartClass,
    Timestamp, TraceContext, TraceId, Usage,
    journal::{Level, LogLine},
    record::{Delivery, InvocationRecord, Refusal, Span},
    usage::{Services, Traffic},
};

/// A generator whose whole state is one number: SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }
    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index fits")]
    }
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next_u64().to_le_bytes()[0])
    }
}

/// The apps that records are of.
pub const APPS: [&str; 2] = ["shop", "blog"];
/// Their functions.
pub const FUNCTIONS: [&str; 3] = ["api", "page", "mail"];
/// Words that logs and causes are made of.
pub const WORDS: [&str; 6] = ["ada", "order", "payment", "späť", "\u{1b}[31mred", "cart"];

/// A record that was admitted at `at`.
#[must_use]
pub fn record(chance: &mut Chance, at: Timestamp) -> InvocationRecord {
    let id = InvocationId::from_parts(at.unix_ms(), chance.bytes());
    let duration = Elapsed::from_ns(chance.below(2_000_000_000));
    let logs = logs(chance, duration);
    let cause = format!("GET /{}/{}", chance.pick(&WORDS), chance.below(100));
    let mut record = InvocationRecord {
        id,
        app: AppName::new(chance.pick(&APPS)).expect("a name"),
        env: EnvName::new(if chance.once_in(4) { "dev" } else { "prod" }).expect("a name"),
        function: FunctionName::new(chance.pick(&FUNCTIONS)).expect("a name"),
        revision: RevisionNumber(u32::try_from(1 + chance.below(3)).expect("it fits")),
        trace: trace(chance),
        span: SpanId::from_bytes(chance.bytes()).unwrap_or_else(|| SpanId::from_bytes([1; 8]).expect("not zero")),
        parent: if chance.once_in(3) { SpanId::from_bytes(chance.bytes()) } else { None },
        cause,
        at,
        duration,
        start: start(chance),
        outcome: outcome(chance),
        usage: usage(chance, duration, &logs),
        spans: (0..chance.below(4)).map(|i| span(chance, i)).collect(),
        refusals: (0..chance.below(8) / 7).map(|_| refusal(chance)).collect(),
        logs,
        journal_kept: chance.once_in(5),
        delivery: Delivery::default(),
    };
    if chance.once_in(3) {
        record.usage.services = services(chance);
        record.delivery = delivery(chance);
    }
    record
}

/// One of few traces, so that several invocations share one.
pub fn trace(chance: &mut Chance) -> TraceId {
    let mut bytes = [7; 16];
    bytes[0] = u8::try_from(chance.below(200)).expect("it fits");
    bytes[15] = bytes[0] ^ 0x55;
    TraceId::from_bytes(bytes).expect("not zero")
}

fn start(chance: &mut Chance) -> Start {
    Start {
        class: chance.pick(&[StartClass::Resident, StartClass::Loaded, StartClass::Compiled]),
        queued: Elapsed::from_ns(chance.below(1_000)),
        loaded: Elapsed::from_ns(chance.below(1_000_000)),
        instantiated: Elapsed::from_ns(chance.below(100_000)),
    }
}

fn outcome(chance: &mut Chance) -> Outcome {
    match chance.below(6) {
        0 => Outcome::Failed {
            code: chance.pick(&[Code::E0501, Code::E0502, Code::E0503]),
            message: format!("it broke at {}\n  0: main", chance.pick(&WORDS)),
            status: 502,
        },
        1 => Outcome::Answered { status: 500 },
        2 => Outcome::Answered { status: 404 },
        _ => Outcome::Answered { status: 200 },
    }
}

fn usage(chance: &mut Chance, wall: Elapsed, logs: &[LogLine]) -> Usage {
    let memory_peak = ByteCount(chance.below(64 << 20));
    Usage {
        requests: 1,
        wall,
        cpu: Elapsed::from_ns(chance.below(5_000_000)),
        memory_peak,
        memory_time: Usage::memory_time_of(memory_peak, wall),
        bytes_in: ByteCount(chance.below(1_000)),
        bytes_out: ByteCount(chance.below(100_000)),
        kv_calls: chance.below(4),
        outbound_calls: chance.below(2),
        outbound_bytes: ByteCount(chance.below(10_000)),
        log_bytes: ByteCount(logs.iter().map(|line| line.text.len() as u64).sum()),
        services: Services::default(),
    }
}

fn services(chance: &mut Chance) -> Services {
    let mut traffic = || Traffic { calls: chance.below(3), bytes: ByteCount(chance.below(10_000)) };
    Services { queue: traffic(), stream: traffic(), sql: traffic(), bucket: traffic(), event: traffic() }
}

fn delivery(chance: &mut Chance) -> Delivery {
    let link = |chance: &mut Chance| {
        let (trace, span) = (trace(chance), SpanId::from_bytes([7; 8]).expect("not zero"));
        TraceContext { trace, span, sampled: true }
    };
    let links = (0..chance.below(3)).map(|_| link(chance)).collect();
    Delivery { attempt: 1, depth: u32::try_from(chance.below(5)).expect("it fits"), links }
}

fn logs(chance: &mut Chance, duration: Elapsed) -> Vec<LogLine> {
    let count = if chance.once_in(2) { 0 } else { chance.below(5) };
    let mut at = 0;
    let mut line = |_| {
        at += chance.below(duration.ns() / 4 + 1);
        LogLine {
            at: Elapsed::from_ns(at),
            level: chance.pick(&Level::ALL),
            context: chance.pick(&["stdout", "stderr", "db"]).to_owned(),
            text: format!("{} {} took {} µs", chance.pick(&WORDS), chance.pick(&WORDS), chance.below(1_000)),
        }
    };
    (0..count).map(&mut line).collect()
}

fn span(chance: &mut Chance, number: u64) -> Span {
    Span {
        name: format!("kv.cache get \"{}\"", chance.pick(&WORDS)),
        result: chance.pick(&["miss", "hit", ""]).to_owned(),
        at: Elapsed::from_ns(number * 1_000),
        duration: Elapsed::from_ns(chance.below(1_000)),
        failed: chance.once_in(10),
    }
}

fn refusal(chance: &mut Chance) -> Refusal {
    Refusal {
        at: Elapsed::from_ns(chance.below(1_000)),
        code: Code::E0207,
        message: format!("api may not reach {}", chance.pick(&WORDS)),
    }
}
