//! Schedules of functions, as people look at them.

use async_trait::async_trait;
use types::{AppKey, FunctionName, Problem, Timestamp};

/// A function that is started by a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The function.
    pub function: FunctionName,
    /// The schedule as the manifest has it.
    pub schedule: String,
    /// Its time zone.
    pub zone: String,
    /// The last time for which it was started.
    pub last: Option<Timestamp>,
    /// The next one; none if it never comes.
    pub next: Option<Timestamp>,
}

/// The schedules of what is served.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// An app's schedules by function.
    async fn schedules(&self, app: &AppKey) -> Result<Vec<Schedule>, Problem>;
    /// Starts a function as its schedule would, now and once, durably queued when it returns.
    ///
    /// # Errors
    /// `E0708` if the app has no function of this name that a schedule starts.
    async fn run(&self, app: &AppKey, function: &FunctionName) -> Result<(), Problem>;
}
