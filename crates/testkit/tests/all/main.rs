//! The models pass the suites, and the suites notice what is wrong with a store.

mod models;
