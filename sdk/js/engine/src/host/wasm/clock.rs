//! The clocks of `wasi:clocks`, and the C library's as far as the engine reads them: at deploy both stand still.

use super::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::machine::phase::{self, Phase};

/// Nanoseconds since some moment.
pub(crate) fn monotonic_ns() -> u64 {
    if phase::current() == Phase::Serve { monotonic_clock::now() } else { 0 }
}

/// Seconds and nanoseconds since 1970.
fn wall() -> (u64, u32) {
    if phase::current() == Phase::Serve {
        let now = wall_clock::now();
        (now.seconds, now.nanoseconds)
    } else {
        (0, 0)
    }
}

/// C's `struct timeval` of wasi-libc.
#[repr(C)]
struct TimeValue {
    seconds: i64,
    microseconds: i64,
}

/// C's `struct timespec` of wasi-libc.
#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i32,
}

/// What `Date.now` asks.
///
/// # Safety
///
/// `value` is null or points to a `struct timeval`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(value: *mut TimeValue, _zone: *mut core::ffi::c_void) -> i32 {
    let (seconds, nanoseconds) = wall();
    // SAFETY: as the caller says.
    if let Some(value) = unsafe { value.as_mut() } {
        *value = TimeValue { seconds: seconds.cast_signed(), microseconds: i64::from(nanoseconds / 1_000) };
    }
    0
}

/// What `performance.now` of the engine asks.
///
/// # Safety
///
/// `value` points to a `struct timespec`.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(_clock: *const core::ffi::c_void, value: *mut TimeSpec) -> i32 {
    let now_ns = monotonic_ns();
    // SAFETY: as the caller says.
    unsafe {
        *value = TimeSpec {
            seconds: (now_ns / 1_000_000_000).cast_signed(),
            nanoseconds: i32::try_from(now_ns % 1_000_000_000).expect("a remainder is less than its divisor"),
        };
    }
    0
}
