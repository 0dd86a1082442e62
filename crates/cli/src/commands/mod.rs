//! The verbs, one a file.

pub(crate) mod allow;
pub(crate) mod apps;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod cost;
pub(crate) mod data;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod invoke;
pub(crate) mod limits;
pub(crate) mod logs;
pub(crate) mod new;
pub(crate) mod replay;
pub(crate) mod rollback;
pub(crate) mod server;
pub(crate) mod trace;
pub(crate) mod types;
pub(crate) mod up;
mod which;
