//! `wasi:clocks`: the guest's clocks are the scope's, which records and replays them.

use wasmtime::component::Resource;

use super::{
    Host,
    bindings::wasi::clocks::{
        monotonic_clock::{self, Duration, Instant},
        wall_clock::{self, Datetime},
    },
    io::poll::Pollable,
};

/// The grain of both clocks in nanoseconds.
const RESOLUTION_NS: u32 = 1;

impl monotonic_clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        Ok(self.scope.monotonic_now())
    }
    fn resolution(&mut self) -> wasmtime::Result<Duration> {
        Ok(u64::from(RESOLUTION_NS))
    }
    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<Pollable>> {
        Ok(self.table.push(Pollable::Timer(self.scope.sleep_until(when)))?)
    }
    fn subscribe_duration(&mut self, span: Duration) -> wasmtime::Result<Resource<Pollable>> {
        if span == 0 {
            return Ok(self.table.push(Pollable::Ready)?);
        }
        let when = self.scope.monotonic_now().saturating_add(span);
        self.subscribe_instant(when)
    }
}

impl wall_clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        const NS: u64 = 1_000_000_000;
        let ns = self.scope.wall_now().unix_ns();
        let nanoseconds = u32::try_from(ns % NS).expect("the rest is below 10^9");
        Ok(Datetime { seconds: ns / NS, nanoseconds })
    }
    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: 0, nanoseconds: RESOLUTION_NS })
    }
}
