//! The clock that times calls, and the one that people read.

use std::mem::zeroed;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds of `CLOCK_MONOTONIC`, as one number: subtracting the two numbers of an `Instant` would take too long
/// here.
#[inline]
pub(crate) fn monotonic() -> u64 {
    // SAFETY: all zeros is a time.
    let mut now: libc::timespec = unsafe { zeroed() };
    // SAFETY: there is room for a time. It fails only for a clock that the system does not have.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// The time in nanoseconds since the Unix epoch. Overflows after 2554; a clock before 1970 yields 0.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}
