//! Functions in JavaScript and TypeScript: no build step, and all else as for every function.

mod errors;
mod eval;
mod examples;
mod hostile;
mod lifecycle;
mod packages;
mod streams;
mod triggers;
mod upgrade;
