//! The atomics of a lane, its two fences, and sleeping until a word changes.
//!
//! The files that state a protocol import everything from here, so that a test can build the same files with loom's
//! atomics (`tests/tests/loom_lane.rs`).

use std::sync::atomic::{compiler_fence, fence};
use std::time::Duration;

use once_cell::sync::Lazy;
use rustix::fs::Timespec;
use rustix::thread::futex;

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// `membarrier(2)` commands, from `linux/membarrier.h`.
const GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

/// Whether this process is one of those that [`heavy_fence`] of another one reaches.
static IS_REACHED: Lazy<bool> = Lazy::new(|| membarrier(REGISTER_GLOBAL_EXPEDITED));

/// The host's half: keeps the compiler from moving accesses across it. The processor's half is issued by the worker that
/// calls [`heavy_fence`], where the kernel can do that.
#[inline(always)]
pub(super) fn light_fence() {
    if *IS_REACHED {
        compiler_fence(Ordering::SeqCst);
    } else {
        // SeqCst: the kernel does not issue it for us.
        fence(Ordering::SeqCst);
    }
}

/// The worker's half: every running thread of the host passes a full memory barrier between the start and the end of
/// this call. Returns false if the kernel refuses.
pub(super) fn heavy_fence() -> bool {
    // SeqCst: orders the caller's own accesses, which the kernel's barrier need not on this thread.
    fence(Ordering::SeqCst);
    membarrier(GLOBAL_EXPEDITED)
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the call takes two integers and touches no memory.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
}

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
