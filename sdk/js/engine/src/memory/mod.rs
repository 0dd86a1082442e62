//! The allocator of the whole instance: QuickJS, the C library and Rust share it.
//!
//! A request starts from a memory image, copy-on-write, and dies with its memory. So what counts is how many pages it writes. What is freed
//! before the image is made is not used again by requests: they allocate on from a fresh page, one object beside the other. Freed blocks are
//! zeroed in the image, which makes it small, and the same whenever it is made.
//!
//! Blocks of up to 32 KiB come in sizes, each with a list of free ones; larger ones are joined with their neighbours when they are free.

#[cfg(target_family = "wasm")]
mod exports;
#[cfg(any(test, target_family = "wasm"))]
mod heap;

#[cfg(target_family = "wasm")]
pub(crate) use exports::{clear_stack, seal};

/// Nothing to do natively: tests use the machine's allocator.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn seal() {}
