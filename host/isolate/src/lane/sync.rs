//! The atomics of a lane, and sleeping until one of them changes.
//!
//! The files that state a protocol import everything from here, so that a test can build the same files with loom's
//! atomics (`tests/tests/loom_lane.rs`).

use std::time::Duration;

use rustix::fs::Timespec;
use rustix::thread::futex;

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Sleeps while the word is `expected`, until it is woken, for at most as long as `most`; may return at any time.
///
/// The kernel compares and falls asleep in one step, as seen by whoever changes the word and then wakes. The word may
/// be mapped elsewhere too, so it is not a private one.
pub(super) fn sleep(word: &AtomicU32, expected: u32, most: Option<Duration>) {
    let most = most.map(|most| Timespec {
        tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: most.subsec_nanos().into(),
    });
    // Woken, changed, interrupted, timed out: whoever sleeps looks again anyway.
    let _ = futex::wait(word, futex::Flags::empty(), expected, most.as_ref());
}

/// Wakes everybody who sleeps on the word. Not only one: a thread of a hostile worker could sleep there too.
#[cold]
pub(super) fn wake(word: &AtomicU32) {
    let _ = futex::wake(word, futex::Flags::empty(), i32::MAX.cast_unsigned());
}
