//! Whose descriptors a thread has.

/// `KCMP_FILES`, from `linux/kcmp.h`.
const KCMP_FILES: libc::c_int = 2;

/// Whether this thread has descriptors of its own, by `unshare(CLONE_FILES)`: what it opens, other threads would close
/// for something else. `false` too where nothing is found out: the kernel does not compare, or the first thread has
/// ended.
pub fn are_own() -> bool {
    // SAFETY: the calls take numbers and touch no memory.
    unsafe { libc::syscall(libc::SYS_kcmp, libc::getpid(), libc::gettid(), KCMP_FILES, 0, 0) > 0 }
}
