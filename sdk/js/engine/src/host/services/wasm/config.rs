//! `wasi:config`.

use crate::host::{
    services::{Answer, Failed},
    wasm::bindings::wasi::config0_2_0_rc_1::store,
};

/// A setting or a granted secret; none if it was never set.
pub(crate) fn get(name: &str) -> Answer<Option<String>> {
    store::get(name).map_err(|error| {
        let (store::Error::Upstream(text) | store::Error::Io(text)) = error;
        Failed::words(text)
    })
}
