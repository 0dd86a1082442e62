//! The JavaScript engine of dayfly: QuickJS-ng, what the web platform adds to the language, and the way from a request to a handler.
//!
//! One instance lives through three phases. *Setup* makes the runtime and evaluates the prelude, the platform's own modules. *Load*
//! evaluates a script. Then the linear memory is kept, and each request starts from it and *serves* one invocation.
//!
//! The crate builds for the host as well, where [`host`] is a fake in memory: the prelude is tested in seconds, without the platform.

#[cfg(target_family = "wasm")]
mod component;
pub mod host;
pub mod machine;
mod memory;
mod natives;
mod prelude;
pub mod script;
