//! The platform as natively built tests see it: nothing leaves the process. Each thread has its own.

pub(crate) mod clock;
pub mod files;
pub mod http;
pub mod log;
pub(crate) mod poll;
pub(crate) mod random;
pub mod report;
