//! `wasi:config`, in every version that SDKs import: the settings are the environment variables.

use super::{
    Host,
    bindings::wasi::{config0_2_0_draft, config0_2_0_draft_2024_09_27, config0_2_0_rc_1},
};

impl Host {
    fn setting(&self, key: &str) -> Option<String> {
        self.scope.environment().get(key).cloned()
    }
    fn settings(&self) -> Vec<(String, String)> {
        self.scope.environment().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

macro_rules! serve {
    ($($interface:path, $error:ident;)*) => {$(
        const _: () = {
            use $interface as interface;
            impl interface::Host for Host {
                fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, interface::$error>> {
                    Ok(Ok(self.setting(&key)))
                }
                fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, interface::$error>> {
                    Ok(Ok(self.settings()))
                }
            }
        };
    )*};
}
serve! {
    config0_2_0_rc_1::store, Error;
    config0_2_0_draft::store, Error;
    config0_2_0_draft::runtime, ConfigError;
    config0_2_0_draft_2024_09_27::store, Error;
}
