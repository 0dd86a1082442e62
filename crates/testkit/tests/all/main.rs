//! The models pass the suites, the suites notice what is wrong with a store, and the source keeps its rules.

mod invariants;
mod models;
mod objects;
mod planted;
mod state;
