//! What the test components share: reading a request and writing an answer with plain `wasi:http`, and nothing hidden in between, so
//! that a test that counts host calls can read them off the program.

mod call;
mod fetch;
mod reply;

pub use call::{Call, decode};
pub use fetch::{read_all, send, wait};
pub use reply::{Body, Reply, fields};
