//! Real components against the runtime, with a scope in memory.
//!
//! The components are those that `cargo xtask programs` builds; compiled code stays in the target folder, so only the first run compiles.

mod artifacts;
mod bounds;
mod cancel;
mod fairness;
mod loading;
mod programs;
mod scope;
mod scripts;
mod serving;
mod state;
mod world;
