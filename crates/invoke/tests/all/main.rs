//! Invocations from admission to settlement, with guests written as Rust futures: what the engine does must not depend on Wasm.

mod atomic;
mod conformance;
mod fakes;
mod flights;
mod golden;
mod golden_services;
mod grants;
mod internal;
mod replays;
mod services;
mod split;
mod support;
