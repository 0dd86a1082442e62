//! The host: what an instance can ask of the platform. In a component that is `wit/`; natively it is a fake in memory.
//!
//! Both have the same functions, so the machine and the natives are written once. What differs stays in the two folders.

#[cfg(not(target_family = "wasm"))]
pub mod fake;
pub(crate) mod http_types;
pub mod services;
#[cfg(target_family = "wasm")]
pub(crate) mod wasm;

#[cfg(not(target_family = "wasm"))]
pub(crate) use fake::{
    clock::monotonic_ns, http, log::log, poll::Pollable, poll::poll, random::random, report::interrupted,
    report::unhandled_rejection,
};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{
    clock::monotonic_ns, http, log::log, poll::Pollable, poll::poll, random::random, report::interrupted,
    report::unhandled_rejection,
};
