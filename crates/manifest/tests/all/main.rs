//! The manifest from outside: what is accepted, what every mistake looks like, and that no text makes it panic.

mod accepted;
mod disk;
mod documented;
mod edits;
mod mutated;
mod refused;
mod settings;
mod support;
mod triggers;
mod values;
