//! The world of a script's top-level code: nothing in it, always the same.
//!
//! What runs at deploy makes the image that every request begins with. So that the same script makes the same image whenever and wherever it is made,
//! the clock stands still, chance comes from the script's digest, and nothing outside can be asked. Its lines of log are kept for whoever deploys.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Outbound, Publish, Scope, Tape,
    outbound::OutboundRequest,
    scope::{OpenBucket, OpenKv, OpenQueue, OpenSql, OpenStream},
    secrets::SecretValue,
    tape::{Diverged, Question},
};
use types::{
    ByteCount, Code, Elapsed, Timestamp,
    journal::{Answer, Failure, Level},
    limits,
};

/// Lines of log that are kept.
const LINES: usize = 200;
/// Characters of one line.
const LINE_CHARS: usize = 2_000;

/// One load's world.
pub(super) struct LoadScope {
    began: Elapsed,
    chance: Mutex<blake3::OutputReader>,
    environment: BTreeMap<String, String>,
    logs: Mutex<Logs>,
}

#[derive(Default)]
struct Logs {
    lines: Vec<String>,
    dropped: usize,
}

impl LoadScope {
    /// A world whose chance comes from this seed. Its CPU time is that of the calling thread, from now on.
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let chance = blake3::Hasher::new_keyed(seed).finalize_xof().into();
        Self { began: thread_time(), chance, environment: BTreeMap::new(), logs: Mutex::default() }
    }

    /// CPU time since its beginning. To be asked on the thread that it was made on.
    pub(super) fn used(&self) -> Elapsed {
        thread_time().less(self.began)
    }

    /// What was logged.
    pub(super) fn logs(&self) -> Vec<String> {
        let Logs { mut lines, dropped } = std::mem::take(&mut *self.logs.lock());
        if dropped > 0 {
            lines.push(format!("… and {dropped} more lines"));
        }
        lines
    }
}

/// CPU time that this thread has used (`CLOCK_THREAD_CPUTIME_ID`).
fn thread_time() -> Elapsed {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (secs, nanos) = (u64::try_from(spent.tv_sec).unwrap_or(0), u64::try_from(spent.tv_nsec).unwrap_or(0));
    Elapsed::from_ns(secs * 1_000_000_000 + nanos)
}

fn refused(what: &str) -> Failure {
    Failure {
        code: Code::E0201,
        message: format!("top-level code runs once, at deploy, and can't use {what}: use it in a handler"),
    }
}

impl Scope for LoadScope {
    fn kv(&self, _: &str) -> Result<OpenKv, Failure> {
        Err(refused("key-value stores"))
    }
    fn queue(&self, _: &str) -> Result<OpenQueue, Failure> {
        Err(refused("queues"))
    }
    fn stream(&self, _: &str) -> Result<OpenStream, Failure> {
        Err(refused("streams"))
    }
    fn sql(&self, _: &str) -> Result<OpenSql, Failure> {
        Err(refused("databases"))
    }
    fn bucket(&self, _: &str) -> Result<OpenBucket, Failure> {
        Err(refused("buckets"))
    }
    fn bus(&self, _: &str) -> Result<Arc<dyn Publish>, Failure> {
        Err(refused("events"))
    }
    fn secret(&self, _: &str) -> BoxFuture<Result<Option<SecretValue>, Failure>> {
        Box::pin(std::future::ready(Err(refused("secrets"))))
    }
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
    fn source(&self) -> String {
        String::new()
    }
    fn outbound(&self) -> Arc<dyn Outbound> {
        Arc::new(Nowhere)
    }
    fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
    fn wall_now(&self) -> Timestamp {
        Timestamp::from_unix_ms(0)
    }
    fn monotonic_now(&self) -> u64 {
        0
    }
    fn sleep_until(&self, _: u64) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
    fn random(&self, bytes: &mut [u8]) {
        self.chance.lock().fill(bytes);
    }
    fn is_overdue(&self) -> bool {
        self.used() >= Elapsed::from(limits::SCRIPT_LOAD_TIME)
    }
    fn tape(&self) -> &dyn Tape {
        &Live
    }
    fn instantiated(&self) {}
    fn log(&self, level: Level, _: &str, text: &str) {
        let mut logs = self.logs.lock();
        for (number, line) in text.lines().enumerate() {
            if logs.lines.len() == LINES {
                logs.dropped += 1;
                continue;
            }
            let line = crate::backtrace::printable(line, LINE_CHARS);
            logs.lines.push(match level {
                Level::Warn | Level::Error | Level::Critical if number == 0 => format!("{}: {line}", level.as_str()),
                _ => line,
            });
        }
    }
    fn memory(&self, _: ByteCount) {}
    fn grow_denied(&self, _: u64, _: u64) {}
    fn refused(&self, _: &Failure) {}
    fn body_read(&self, _: u64) {}
    fn respond(&self, _: http::Response<Body>) {}
    fn body_written(&self, _: &Bytes) {}
}

struct Nowhere;

#[async_trait]
impl Outbound for Nowhere {
    async fn send(&self, _: OutboundRequest) -> Result<http::Response<Body>, Failure> {
        Err(refused("the network"))
    }
}

struct Live;

impl Tape for Live {
    fn recall(&self, _: Question) -> Result<Option<Answer>, Diverged> {
        Ok(None)
    }
    fn keeps(&self) -> bool {
        false
    }
    fn keep(&self, _: Answer) {}
}
