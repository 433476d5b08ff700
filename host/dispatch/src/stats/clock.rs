//! The clock that calls are timed by.

use std::mem::zeroed;

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
