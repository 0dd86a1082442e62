//! `wasi:logging`, with a version and without.

use types::journal::Level;

use super::{
    Host,
    bindings::wasi::{logging, logging0_1_0_draft},
};

macro_rules! serve {
    ($($interface:path;)*) => {$(
        const _: () = {
            use $interface as interface;
            impl interface::Host for Host {
                fn log(&mut self, level: interface::Level, context: String, message: String) -> wasmtime::Result<()> {
                    let level = match level {
                        interface::Level::Trace => Level::Trace,
                        interface::Level::Debug => Level::Debug,
                        interface::Level::Info => Level::Info,
                        interface::Level::Warn => Level::Warn,
                        interface::Level::Error => Level::Error,
                        interface::Level::Critical => Level::Critical,
                    };
                    let mapped = self.script.as_ref().filter(|_| level >= Level::Warn).and_then(|script| script.map(&message));
                    self.scope.log(level, &context, mapped.as_ref().unwrap_or(&message));
                    Ok(())
                }
            }
        };
    )*};
}
serve! {
    logging0_1_0_draft::logging;
    logging::logging;
}
