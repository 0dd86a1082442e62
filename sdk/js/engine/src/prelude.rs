//! The prelude: the platform's own modules, evaluated once in this order. Each sets the globals that it owns itself.
//!
//! They import each other as `dayfly:NAME`, and what Rust gives them as `dayfly:native`. A script reaches neither.

/// A module of the prelude: its name after `dayfly:`, and its text.
pub(crate) struct Prelude {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
}

macro_rules! prelude {
    ($($name:literal),* $(,)?) => {
        /// Evaluated from first to last. `dispatch` is the last: Rust calls its exports.
        pub(crate) const MODULES: &[Prelude] = &[$(Prelude { name: $name, code: include_str!(concat!("../prelude/", $name, ".js")) }),*];
    };
}

// One line a file: prelude/NAME.js.
prelude![
    "primordials",
    "dom-exception",
    "kinds",
    "inspect",
    "report-error",
    "clock",
    "console-json",
    "console-table",
    "console",
    "iterable",
    "events",
    "more-events",
    "abort",
    "timers",
    "base64",
    "encoding",
    "url-search-params",
    "url",
    "structured-clone",
    "performance",
    "crypto/algorithms",
    "crypto/key",
    "crypto/jwk",
    "crypto/symmetric",
    "crypto/pairs",
    "crypto/curves",
    "crypto/rsa",
    "crypto/derivation",
    "crypto/subtle",
    "crypto",
    "fields",
    "mime",
    "headers",
    "streams/common",
    "streams/readable",
    "streams/readable-default",
    "streams/readable-byte",
    "streams/readable-byte-controller",
    "streams/readers",
    "streams/readable-tee",
    "streams/readable-tee-bytes",
    "streams/readable-from",
    "streams/pipe",
    "streams/writable",
    "streams/writable-controller",
    "streams/writable-writer",
    "streams/transform",
    "streams/strategies",
    "streams/text",
    "streams/bodies",
    "native-body",
    "blob",
    "form-data",
    "multipart",
    "body",
    "response",
    "request",
    "data-url",
    "outgoing",
    "incoming",
    "fetch",
    "globals",
    "dispatch",
];
