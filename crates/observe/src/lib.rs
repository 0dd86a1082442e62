//! Views of what was recorded: traces, requests, logs and bills.
//!
//! Each view is a pure function from records to the JSON of [`types::wire::view`]; no view records anything of its own. [`Observer`]
//! asks the telemetry store and applies them; the control API answers what it gives, and the command line draws that.

mod cost;
mod logs;
mod observer;
mod requests;
mod resolve;
mod search;
mod trace;

pub use cost::bill;
pub use logs::{log, logs_of};
pub use observer::Observer;
pub use requests::{failure, request};
pub use resolve::Wanted;
pub use search::{filter, matches, period};
pub use trace::trace;
