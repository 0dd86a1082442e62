//! Invocations from admission to settlement, with guests written as Rust futures: what the engine does must not depend on Wasm.

mod conformance;
mod flights;
mod golden;
mod grants;
mod replays;
mod support;
