//! Settings and secrets.

use crate::{Error, bindings::config::store};

/// A setting (`env` in the manifest) or a granted secret (`uses = ["secret.NAME"]`) by its name; `None` if it was never set.
pub fn get(name: &str) -> Result<Option<String>, Error> {
    store::get(name).map_err(words)
}

/// A secret that the function can't do without.
pub fn secret(name: &str) -> Result<String, Error> {
    get(name)?.ok_or_else(|| Error::other(format!("the secret {name} is not granted or was never set")))
}

/// All settings and granted secrets that are set.
pub fn all() -> Result<Vec<(String, String)>, Error> {
    store::get_all().map_err(words)
}

fn words(error: store::Error) -> Error {
    let (store::Error::Upstream(message) | store::Error::Io(message)) = error;
    Error::words(message)
}
