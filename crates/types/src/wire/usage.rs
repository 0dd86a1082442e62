//! Usage in its first form, without the calls of [`Services`](crate::usage::Services): journals and blocks of telemetry have it so.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Elapsed, Usage, units::ByteCount};

/// The first form.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Form {
    requests: u64,
    wall: Elapsed,
    cpu: Elapsed,
    memory_peak: ByteCount,
    memory_time: u128,
    bytes_in: ByteCount,
    bytes_out: ByteCount,
    kv_calls: u64,
    outbound_calls: u64,
    outbound_bytes: ByteCount,
    log_bytes: ByteCount,
}

/// Writes the first form.
///
/// # Errors
/// What the serializer says.
pub fn serialize<S: Serializer>(usage: &Usage, serializer: S) -> Result<S::Ok, S::Error> {
    let Usage { requests, wall, cpu, memory_peak, memory_time, bytes_in, bytes_out, kv_calls, .. } = *usage;
    let Usage { outbound_calls, outbound_bytes, log_bytes, services: _, .. } = *usage;
    let form = Form {
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
    };
    form.serialize(serializer)
}

/// Reads the first form; what it does not have is zero.
///
/// # Errors
/// What the deserializer says.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usage, D::Error> {
    let Form {
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
    } = Form::deserialize(deserializer)?;
    Ok(Usage {
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
        ..Usage::default()
    })
}
