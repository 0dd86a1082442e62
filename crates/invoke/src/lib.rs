//! An invocation from admission to settlement, its journal, and the replay of it.
//!
//! [`Engine`] is the data plane's middle: triggers hand it invocations through `ports::Invoker`, it runs them through `ports::Runtime`. The
//! whole way is one readable function in [`path`]. Everything a guest touches goes through [`scope`], which notes it in the
//! [`journal`]; telemetry, bills and replays are made from that and from nothing else.

mod cpu;
mod engine;
pub mod export;
mod flight;
mod gate;
mod journal;
mod last_words;
mod memory;
mod path;
mod refuse;
mod replay;
mod scope;

pub use engine::{Engine, Parts};
pub use journal::seal::SealKey;
pub use journal::{fold::redacted, open::JournalReader};
pub use replay::{Halt, Replay, Report, replay};
