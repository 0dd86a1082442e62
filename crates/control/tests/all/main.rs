//! The control plane through its API, on in-memory stores.

mod api;
mod data;
mod deploy;
mod eval;
mod prune;
mod records;
mod removal;
mod site;
mod stores;
mod triggers;
mod world;
