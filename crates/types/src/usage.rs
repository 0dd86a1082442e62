//! What an invocation used, in exact counts, and what that costs, in integers.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::{
    time::Elapsed,
    units::{ByteCount, Money},
};

/// Exact counts for one invocation, or the sum of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Invocations.
    pub requests: u64,
    /// From admission to settlement.
    pub wall: Elapsed,
    /// CPU time of the threads that ran the guest and its host calls.
    pub cpu: Elapsed,
    /// The largest linear memory; of many, the largest of all.
    pub memory_peak: ByteCount,
    /// Peak memory × wall time, in KiB·µs.
    pub memory_time: u128,
    /// Bytes of request heads and bodies.
    pub bytes_in: ByteCount,
    /// Bytes of response heads and bodies.
    pub bytes_out: ByteCount,
    /// Calls of key-value stores.
    pub kv_calls: u64,
    /// Outbound HTTP calls.
    pub outbound_calls: u64,
    /// Bytes sent and received by outbound calls.
    pub outbound_bytes: ByteCount,
    /// Bytes of log text.
    pub log_bytes: ByteCount,
    /// Calls of the other services.
    pub services: Services,
}

/// Calls of one kind of service, and the bytes of bodies, rows and objects that they carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Calls.
    pub calls: u64,
    /// Bytes either way.
    pub bytes: ByteCount,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.bytes.0 += other.bytes.0;
    }
}

/// Calls of services by their kind; those of key-value stores and to the outside are counted beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Services {
    /// Messages sent to queues.
    pub queue: Traffic,
    /// Streams: appended and read.
    pub stream: Traffic,
    /// Databases: connections, statements and batches of them.
    pub sql: Traffic,
    /// Buckets.
    pub bucket: Traffic,
    /// Events that were published.
    pub event: Traffic,
}

impl Services {
    /// All calls, and the bytes of all of them.
    #[must_use]
    pub fn total(&self) -> Traffic {
        let Self { queue, stream, sql, bucket, event } = *self;
        let mut sum = Traffic::default();
        [queue, stream, sql, bucket, event].into_iter().for_each(|traffic| sum += traffic);
        sum
    }
}

impl AddAssign for Services {
    fn add_assign(&mut self, other: Self) {
        let Self { queue, stream, sql, bucket, event } = other;
        self.queue += queue;
        self.stream += stream;
        self.sql += sql;
        self.bucket += bucket;
        self.event += event;
    }
}

impl Usage {
    /// Peak memory × wall time in KiB·µs, rounded up, as `memory_time` counts it.
    #[must_use]
    pub fn memory_time_of(peak: ByteCount, wall: Elapsed) -> u128 {
        u128::from(peak.0.div_ceil(1 << 10)) * u128::from(wall.ns().div_ceil(1_000))
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let Self {
            requests,
            wall,
            cpu,
            memory_peak,
            memory_time,
            bytes_in,
            bytes_out,
            kv_calls,
            outbound_calls,
            outbound_bytes,
            log_bytes,
            services,
        } = other;
        self.requests += requests;
        self.wall = self.wall.plus(wall);
        self.cpu = self.cpu.plus(cpu);
        self.memory_peak = self.memory_peak.max(memory_peak);
        self.memory_time += memory_time;
        self.bytes_in.0 += bytes_in.0;
        self.bytes_out.0 += bytes_out.0;
        self.kv_calls += kv_calls;
        self.outbound_calls += outbound_calls;
        self.outbound_bytes.0 += outbound_bytes.0;
        self.log_bytes.0 += log_bytes.0;
        self.services += services;
    }
}

/// What things cost, in 10⁻¹² of the currency for the unit that each field names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSheet {
    /// The ISO 4217 code of the currency.
    pub currency: String,
    /// One invocation.
    pub request: u64,
    /// One second of CPU time.
    pub cpu_second: u64,
    /// One GiB of memory for one second.
    pub gib_second: u64,
    /// One GiB in or out of functions, outbound calls included.
    pub transfer_gib: u64,
    /// One key-value call.
    pub kv_call: u64,
    /// One GiB of log text.
    pub log_gib: u64,
    /// One call of a queue, stream, database, bucket or bus.
    pub service_call: u64,
    /// One GiB to or from those.
    pub service_gib: u64,
}

impl Default for PriceSheet {
    /// What a small rented server costs when it is shared out: a starting point for the owner's own figures.
    fn default() -> Self {
        Self {
            currency: "EUR".into(),
            request: 50_000,
            cpu_second: 8_000_000,
            gib_second: 1_500_000,
            transfer_gib: 5_000_000_000,
            kv_call: 10_000,
            log_gib: 100_000_000_000,
            service_call: 20_000,
            service_gib: 5_000_000_000,
        }
    }
}

/// The cost of some usage, by what caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// For being invoked.
    pub requests: Money,
    /// For CPU time.
    pub cpu: Money,
    /// For memory.
    pub memory: Money,
    /// For bytes in, out and outbound.
    pub transfer: Money,
    /// For key-value calls.
    pub kv: Money,
    /// For logs.
    pub logs: Money,
    /// For calls of queues, streams, databases, buckets and buses, and their bytes.
    pub services: Money,
}

impl Cost {
    /// The sum of all parts.
    #[must_use]
    pub fn total(&self) -> Money {
        let Self { requests, cpu, memory, transfer, kv, logs, services } = *self;
        [requests, cpu, memory, transfer, kv, logs, services].into_iter().sum()
    }
}

impl PriceSheet {
    /// What the usage costs. Each part is rounded half up to 10⁻¹² once, after all counts were added: price sums, don't add prices.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Cost {
        const NS: u128 = 1_000_000_000;
        const GIB: u128 = 1 << 30;
        let bytes = usage.bytes_in.0 + usage.bytes_out.0 + usage.outbound_bytes.0;
        let used = usage.services.total();
        Cost {
            requests: part(usage.requests, self.request, 1),
            cpu: part(usage.cpu.ns(), self.cpu_second, NS),
            memory: part(usage.memory_time, self.gib_second, (1 << 20) * 1_000_000),
            transfer: part(bytes, self.transfer_gib, GIB),
            kv: part(usage.kv_calls, self.kv_call, 1),
            logs: part(usage.log_bytes.0, self.log_gib, GIB),
            services: [part(used.calls, self.service_call, 1), part(used.bytes.0, self.service_gib, GIB)].into_iter().sum(),
        }
    }
}

fn part(count: impl Into<u128>, price: u64, per: u128) -> Money {
    let scaled = count.into().saturating_mul(u128::from(price)).saturating_add(per / 2) / per;
    Money { pico: i128::try_from(scaled).unwrap_or(i128::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_adds_up_to_the_last_digit() {
        let one = Usage {
            requests: 1,
            wall: Elapsed::from_ns(1_300_000),
            cpu: Elapsed::from_ns(200_000),
            memory_peak: ByteCount::mib(2),
            memory_time: Usage::memory_time_of(ByteCount::mib(2), Elapsed::from_ns(1_300_000)),
            kv_calls: 2,
            services: Services { bucket: Traffic { calls: 1, bytes: ByteCount::kib(1) }, ..Services::default() },
            ..Usage::default()
        };
        let mut million = Usage::default();
        (0..1_000_000).for_each(|_| million += one);
        let sheet = PriceSheet::default();
        assert_eq!(sheet.cost(&million).requests.pico, 1_000_000 * 50_000);
        assert_eq!(sheet.cost(&million).cpu.to_string(), "0.0016");
        assert_eq!(million.memory_peak, one.memory_peak);
        assert_eq!(sheet.cost(&million).services.to_string(), "0.024768371582");
        assert_eq!(sheet.cost(&one).total(), sheet.cost(&one).total());
    }
}
