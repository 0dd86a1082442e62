//! `wasi:random`: everything comes from the invocation's seed, so that a replay draws the same.

use types::{ByteCount, limits};

use super::{
    Host,
    bindings::wasi::random::{insecure, insecure_seed, random},
};
use crate::stop::Stop;

impl Host {
    fn random_bytes(&self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > limits::RANDOM_CALL.0 {
            let (asked, allowed) = (ByteCount(len), limits::RANDOM_CALL);
            return Err(Stop::Misuse(format!("random bytes a call {asked}, allowed {allowed}")).into());
        }
        let mut bytes = vec![0; ByteCount(len).as_usize()];
        self.scope.random(&mut bytes);
        Ok(bytes)
    }
    fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.scope.random(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl random::Host for Host {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }
    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.random_u64())
    }
}

impl insecure::Host for Host {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }
    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.random_u64())
    }
}

impl insecure_seed::Host for Host {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.random_u64(), self.random_u64()))
    }
}
