//! The context of a dispatch, as a callback in Rust reads it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::boundary::Context;

/// The context of the current dispatch, lent to a callback by [`with_context`](crate::host::with_context).
///
/// # Invariants
/// The texts of the context are readable for as long as it is lent.
#[derive(Clone, Copy, Debug)]
pub struct CurrentContext<'a> {
    context: &'a Context,
}

impl<'a> CurrentContext<'a> {
    /// # Safety
    /// The texts of the context are readable for as long as it is lent.
    pub(crate) unsafe fn new(context: &'a Context) -> Self {
        // INVARIANT: the caller promises it.
        CurrentContext { context }
    }

    /// The deadline of the dispatch, if it has one; it may have passed.
    pub fn deadline(&self) -> Option<Instant> {
        let deadline_ns = self.context.deadline_ns;
        (deadline_ns != 0).then(|| instant(deadline_ns))
    }

    /// The trace that the dispatch belongs to (W3C trace id), if there is one.
    pub fn trace(&self) -> Option<[u8; 16]> {
        (self.context.trace != [0; 16]).then_some(self.context.trace)
    }

    /// The principal on whose behalf the dispatch runs; may be empty.
    pub fn principal(&self) -> Cow<'a, str> {
        // SAFETY: by the type invariant the text is readable while the context is lent.
        unsafe { self.context.principal.to_text() }
    }

    /// The node that the dispatch runs on; may be empty.
    pub fn node(&self) -> Cow<'a, str> {
        // SAFETY: by the type invariant the text is readable while the context is lent.
        unsafe { self.context.node.to_text() }
    }
}

/// An instant that the boundary has as a number of `CLOCK_MONOTONIC`, of which no `Instant` can be made.
///
/// So both clocks are read, and what is left by the one is left by the other: on Linux both are the same clock, and two
/// that advance alike would do. The `Instant` is read first, so what passes between the two readings makes the result
/// earlier, and never later, than the deadline.
pub(crate) fn instant(monotonic_ns: u64) -> Instant {
    let (now, now_ns) = (Instant::now(), monotonic());
    match monotonic_ns.checked_sub(now_ns) {
        Some(left) => now + Duration::from_nanos(left),
        // No instant is before the start of the clock.
        None => now.checked_sub(Duration::from_nanos(now_ns - monotonic_ns)).unwrap_or(now),
    }
}

/// The number of `CLOCK_MONOTONIC` of an instant, at the latest: what [`instant`] makes of it is no later than `of`, but for
/// what passes between two readings of the clock. Never 0, which is none.
pub(crate) fn monotonic_of(of: Instant) -> u64 {
    let (now_ns, now) = (monotonic(), Instant::now());
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    match of.checked_duration_since(now) {
        Some(left) => now_ns.saturating_add(nanoseconds(left)),
        None => now_ns.saturating_sub(nanoseconds(now - of)).max(1),
    }
}

/// `CLOCK_MONOTONIC`, in nanoseconds.
#[doc(hidden)]
pub fn monotonic() -> u64 {
    /// The C type, where its two members have 64 bits.
    #[repr(C)]
    struct Time {
        seconds: i64,
        nanoseconds: i64,
    }
    const { assert!(cfg!(all(target_os = "linux", target_pointer_width = "64")), "`Time` is that of 64-bit Linux") };
    const CLOCK_MONOTONIC: i32 = 1;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, now: *mut Time) -> i32;
    }
    let mut now = Time { seconds: 0, nanoseconds: 0 };
    // SAFETY: the function has this signature on 64-bit Linux, and there is room for a time.
    unsafe { clock_gettime(CLOCK_MONOTONIC, &mut now) };
    now.seconds.cast_unsigned() * 1_000_000_000 + now.nanoseconds.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boundary::Str;

    fn deadline(deadline_ns: u64) -> Option<Instant> {
        let (size, empty) = (size_of::<Context>() as u32, Str::new(""));
        let context = Context { size, reserved: 0, deadline_ns, trace: [0; 16], principal: empty, node: empty };
        // SAFETY: its texts are static.
        unsafe { CurrentContext::new(&context) }.deadline()
    }

    #[test]
    fn a_deadline_comes_through_no_later() {
        let now = Instant::now();
        for of in [now, now + Duration::from_secs(1), now.checked_sub(Duration::from_secs(1)).unwrap_or(now)] {
            let seen = instant(monotonic_of(of));
            assert!(seen <= of && seen > of - Duration::from_secs(60), "{seen:?} {of:?}");
        }
    }

    #[test]
    fn a_deadline_is_never_later_than_the_clock_says() {
        assert_eq!(deadline(0), None);
        for left in [1, 1_000_000_000, 1_000_000_000 * 60 * 60 * 24 * 365] {
            let deadline_ns = monotonic() + left;
            let latest = Instant::now() + Duration::from_nanos(left);
            let seen = deadline(deadline_ns).unwrap();
            assert!(seen <= latest);
            assert!(seen > latest - Duration::from_secs(60), "only what passed between the readings is missing");
        }
        assert!(deadline(1).unwrap() < Instant::now(), "it has passed");
        assert!(deadline(u64::MAX).unwrap() > Instant::now());
    }
}
