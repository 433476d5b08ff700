//! Whose descriptors a thread has.

/// What two threads may share, from `linux/kcmp.h`.
const KCMP_VM: libc::c_int = 1;
const KCMP_FILES: libc::c_int = 2;

/// Whether this thread and the first one have descriptors of their own, by `unshare(CLONE_FILES)`: what one opens, the
/// other would close for something else. `false` too where nothing is found out: the kernel does not compare, or the
/// first thread has ended, which then shares not even its memory with others.
pub fn are_own() -> bool {
    compare(KCMP_VM) == 0 && compare(KCMP_FILES) > 0
}

/// 0 if this thread and the first one share it, more than 0 if not.
fn compare(what: libc::c_int) -> libc::c_long {
    // SAFETY: the calls take numbers and touch no memory.
    unsafe { libc::syscall(libc::SYS_kcmp, libc::getpid(), libc::gettid(), what, 0, 0) }
}
