//! Spin's `variables`: the environment variables under Spin's name. Its `key-value` is with the other key-value interfaces.

use super::{Host, bindings::fermyon::spin::variables};

impl variables::Host for Host {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        Ok(self.scope.environment().get(&name).cloned().ok_or(variables::Error::Undefined(name)))
    }
}
