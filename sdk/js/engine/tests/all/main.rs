//! The engine natively: the prelude's tests in JavaScript, and the machine's in Rust.

mod console;
mod deploy;
mod env;
mod http;
mod javascript;
mod machine;
mod wpt;
