//! The atomics of the read side, and its two fences.
//!
//! The files that state a protocol import everything from here, so that a test can build the same files with loom's
//! atomics (`tests/tests/loom_reclaim.rs`).

use once_cell::sync::Lazy;

pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// `membarrier(2)` commands, from `linux/membarrier.h`.
const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

/// Whether the kernel issues the readers' half of the barrier for us.
static ASYMMETRIC: Lazy<bool> = Lazy::new(|| membarrier(REGISTER_PRIVATE_EXPEDITED));

/// The reader's half: keeps the compiler from moving accesses across it. The processor's half is issued by the thread
/// that calls [`heavy_fence`].
#[inline(always)]
pub(crate) fn light_fence() {
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
}

/// The writer's half: every running thread of this process passes a full memory barrier between the start and the end
/// of this call. Returns `false` if the kernel refuses, as it may once a seccomp filter is installed: then nothing may
/// be concluded about readers.
pub(crate) fn heavy_fence() -> bool {
    // SeqCst: orders the caller's own accesses, which the kernel's barrier need not on this thread.
    std::sync::atomic::fence(Ordering::SeqCst);
    if *ASYMMETRIC { membarrier(PRIVATE_EXPEDITED) } else { true }
}

/// Whether [`light_fence`] is enough for readers; otherwise they must issue a full fence themselves.
pub(crate) fn is_asymmetric() -> bool {
    *ASYMMETRIC
}

fn membarrier(command: libc::c_int) -> bool {
    // Miri does not know the call; readers issue their fence there.
    // SAFETY: the call takes two integers and touches no memory.
    !cfg!(miri) && unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
}
