//! Models of the services in memory, for the engine's own tests. They keep the rules that the prelude depends on, and no limits.
//!
//! A name that begins with `denied` is not granted; one that ends with `-ro` is granted for reading only.

pub mod bucket;
pub mod bus;
pub mod config;
pub mod kv;
pub mod queue;
pub mod sql;
pub mod stream;

use super::{Answer, Failed};

fn granted(kind: &str, name: &str) -> Answer<()> {
    if name.starts_with("denied") {
        return Err(Failed::new("access-denied", format!("{kind}.{name} is not granted: add \"{kind}.{name}\" to `uses`")));
    }
    Ok(())
}

fn writable(kind: &str, name: &str) -> Answer<()> {
    if name.ends_with("-ro") {
        return Err(Failed::new("access-denied", format!("{kind}.{name} is granted for reading only")));
    }
    Ok(())
}
