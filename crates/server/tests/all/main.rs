//! Whole nodes: real stores, the real runtime, real sockets. Components come from `cargo xtask programs`.

mod binary;
mod node;
mod program;
mod world;
