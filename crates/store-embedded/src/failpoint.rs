//! Places where a test can make a store fail or make the process die, as a power cut or a bad disk would.
//!
//! Production passes none: then a failpoint is one comparison with a null pointer. There is no switch in the environment, so nobody
//! turns one on by accident.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;

/// A place that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Everything is written, and COMMIT comes next.
    ShardBeforeCommit,
    /// COMMIT succeeded, and nobody knows yet.
    ShardAfterCommit,
    /// Those who wait for news know, callers don't.
    ShardBeforeReply,
    /// An idempotency record of a key-value transaction is about to be written.
    KvIdempotency,
    /// An idempotency record of any other call is about to be written.
    ReplyRecord,
    /// A message is written.
    QueueEnqueued,
    /// A delivery is written down, and hasn't left yet.
    QueueClaimed,
    /// A message is removed.
    QueueAcked,
    /// A message lies in its dead-letter queue, and nothing else says so yet.
    QueueBurying,
    /// A dead letter is back in its queue, and in the dead-letter queue still.
    QueueRedriving,
    /// Deduplication keys are about to be looked up.
    QueueDedup,
    /// A receipt is about to be compared with the newest.
    QueueFence,
    /// A unit's messages are acknowledged, and nothing else of it is written.
    UnitAcknowledged,
    /// A unit's entries are written, its messages are not sent.
    UnitWritten,
    /// A blob's bytes are durable under a temporary name.
    BlobBeforeRename,
    /// A blob has its name, and the folder is not yet durable.
    BlobAfterRename,
    /// An object's file is written and is about to be synced.
    ObjectBeforeSync,
    /// An object's file is durable, and no row names it yet.
    ObjectAfterSync,
    /// The checksums of an object's bytes are about to be compared.
    ObjectVerify,
    /// A change of the catalog is written, and COMMIT comes next.
    CatalogBeforeCommit,
    /// A change of the catalog was committed, and nobody knows yet.
    CatalogAfterCommit,
    /// A transaction of an app's database is written, and COMMIT comes next.
    SqlBeforeCommit,
    /// A transaction of an app's database was committed, and nobody knows yet.
    SqlAfterCommit,
    /// A database is about to be written over by another.
    SqlBeforeRestore,
    /// A change of the secrets is written, and COMMIT comes next.
    SecretsBeforeCommit,
    /// A change of the secrets was committed, and nobody knows yet.
    SecretsAfterCommit,
    /// A secret is about to be sealed.
    SecretsSeal,
    /// A new key of the platform is durable, and nothing is sealed with it yet.
    SecretsKeyAdded,
    /// One app's secrets are under the new key.
    SecretsRewrapped,
    /// All secrets are under the new key, and the old one is still there.
    SecretsBeforeForget,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 18] = [
        Self::ShardBeforeCommit,
        Self::ShardAfterCommit,
        Self::ShardBeforeReply,
        Self::KvIdempotency,
        Self::ReplyRecord,
        Self::QueueEnqueued,
        Self::QueueClaimed,
        Self::QueueAcked,
        Self::QueueBurying,
        Self::QueueRedriving,
        Self::QueueDedup,
        Self::QueueFence,
        Self::UnitAcknowledged,
        Self::UnitWritten,
        Self::BlobBeforeRename,
        Self::BlobAfterRename,
        Self::CatalogBeforeCommit,
        Self::CatalogAfterCommit,
    ];
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed with SIGKILL, as the kernel or an operator would.
    Kill,
    /// The step fails as if the disk had failed.
    Fail,
    /// The step is left out: a protection is off, for control runs.
    Skip,
    /// The step takes this much longer.
    Slow(Duration),
}

/// Which points are armed. The default is none.
#[derive(Debug, Clone, Default)]
pub struct Failpoints(Option<Arc<Mutex<BTreeMap<Point, Armed>>>>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    passes_left: u32,
}

impl Failpoints {
    /// Arms the point: it is passed `passes` times, and the fault happens each time after that.
    #[must_use]
    pub fn with(self, point: Point, fault: Fault, passes: u32) -> Self {
        let Self(points) = self;
        let points = points.unwrap_or_default();
        points.lock().insert(point, Armed { fault, passes_left: passes });
        Self(Some(points))
    }

    /// Disarms the point.
    pub fn clear(&self, point: Point) {
        if let Some(points) = &self.0 {
            points.lock().remove(&point);
        }
    }

    /// Passes the point. Kills or delays here; gives what the caller itself has to do.
    pub(crate) fn pass(&self, point: Point) -> Passed {
        let Some(points) = &self.0 else { return Passed::On };
        let fault = match points.lock().get_mut(&point) {
            None => return Passed::On,
            Some(Armed { fault, passes_left: 0 }) => *fault,
            Some(Armed { passes_left, .. }) => {
                *passes_left -= 1;
                return Passed::On;
            }
        };
        match fault {
            Fault::Kill => kill(),
            Fault::Fail => Passed::Fail,
            Fault::Skip => Passed::Skip,
            Fault::Slow(time) => {
                std::thread::sleep(time);
                Passed::On
            }
        }
    }
}

/// How a point was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    On,
    Fail,
    Skip,
}

fn kill() -> ! {
    let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    unreachable!("a process can kill itself: {killed:?}")
}
