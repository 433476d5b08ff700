//! System calls for code that runs in the copy of a process with many threads.
//!
//! Between `clone` and `exec`, and in a guardian for all of its life, other threads of the host are gone in the middle
//! of whatever they did: with a lock of the allocator held, say. So nothing there allocates, locks, panics or calls a
//! function of the C library that might; what is left is this.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::ptr;

/// What a call returned, or the number of its error.
pub(crate) type Result<T> = std::result::Result<T, i32>;

/// Makes a system call.
///
/// # Safety
/// As for the call.
pub(crate) unsafe fn call(number: c_long, arguments: [usize; 6]) -> Result<usize> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: by the contract. The C library's `syscall` touches registers and `errno` only.
    let returned = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if returned == -1 {
        // SAFETY: the calling thread's own.
        return Err(unsafe { *libc::__errno_location() });
    }
    Ok(returned as usize)
}

/// A system call of numbers alone, which touches no memory of this process.
pub(crate) fn numbers<const N: usize>(number: c_long, arguments: [usize; N]) -> Result<usize> {
    let mut all = [0; 6];
    for (slot, argument) in all.iter_mut().zip(arguments) {
        *slot = argument;
    }
    // SAFETY: the callers of this function pass calls and arguments that touch no memory.
    unsafe { call(number, all) }
}

/// A descriptor as an argument.
pub(crate) const fn fd(fd: c_int) -> usize {
    fd as isize as usize
}

/// Ends this process without running anything.
pub(crate) fn exit(code: c_int) -> ! {
    loop {
        let _ = numbers(libc::SYS_exit_group, [code as usize]);
    }
}

pub(crate) fn close(number: c_int) {
    let _ = numbers(libc::SYS_close, [fd(number)]);
}

pub(crate) fn read(number: c_int, buffer: &mut [u8]) -> Result<usize> {
    loop {
        // SAFETY: the buffer is this one.
        match unsafe { call(libc::SYS_read, [fd(number), buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0]) } {
            Err(libc::EINTR) => {}
            done => return done,
        }
    }
}

pub(crate) fn read_at(number: c_int, buffer: &mut [u8], at: usize) -> Result<usize> {
    // SAFETY: the buffer is this one.
    unsafe { call(libc::SYS_pread64, [fd(number), buffer.as_mut_ptr() as usize, buffer.len(), at, 0, 0]) }
}

/// Writes without a signal if nobody reads.
pub(crate) fn send(socket: c_int, bytes: &[u8]) -> Result<usize> {
    let flags = libc::MSG_NOSIGNAL as usize;
    // SAFETY: the bytes are these.
    unsafe { call(libc::SYS_sendto, [fd(socket), bytes.as_ptr() as usize, bytes.len(), flags, 0, 0]) }
}

pub(crate) fn write(number: c_int, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the bytes are these.
    unsafe { call(libc::SYS_write, [fd(number), bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) }
}

/// Removes an empty directory.
///
/// # Safety
/// The path is a C string.
pub(crate) unsafe fn remove_directory(path: *const c_char) -> Result<usize> {
    let flags = libc::AT_REMOVEDIR as usize;
    // SAFETY: by the contract.
    unsafe { call(libc::SYS_unlinkat, [fd(libc::AT_FDCWD), path as usize, flags, 0, 0, 0]) }
}

/// Waits until one of them is ready, for at most that many milliseconds.
pub(crate) fn poll(fds: &mut [libc::pollfd], milliseconds: Option<u32>) -> Result<usize> {
    let time = milliseconds
        .map(|all| libc::timespec { tv_sec: (all / 1000).into(), tv_nsec: c_long::from(all % 1000) * 1_000_000 });
    let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the descriptors and the time live until it returns; it has no set of signals.
    unsafe { call(libc::SYS_ppoll, [fds.as_mut_ptr() as usize, fds.len(), time as usize, 0, 8, 0]) }
}

pub(crate) fn kill(pid: c_int, signal: c_int) -> Result<usize> {
    numbers(libc::SYS_kill, [fd(pid), signal as usize])
}

pub(crate) fn prctl(option: c_int, value: usize) -> Result<usize> {
    numbers(libc::SYS_prctl, [option as usize, value, 0, 0, 0])
}

/// A descriptor that is readable when that signal, which is blocked, is pending.
pub(crate) fn signals(signal: c_int) -> Result<c_int> {
    let set = 1_u64 << (signal - 1);
    let flags = (libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) as usize;
    // SAFETY: the set is eight bytes, as it is on 64-bit Linux.
    unsafe { call(libc::SYS_signalfd4, [fd(-1), ptr::from_ref(&set) as usize, 8, flags, 0, 0]) }.map(|fd| fd as c_int)
}

/// A clock that only counts.
pub(crate) fn milliseconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let clock = libc::CLOCK_MONOTONIC as usize;
    // SAFETY: the time is this one.
    let _ = unsafe { call(libc::SYS_clock_gettime, [clock, ptr::from_mut(&mut now) as usize, 0, 0, 0, 0]) };
    (now.tv_sec as u64).wrapping_mul(1000).wrapping_add(now.tv_nsec as u64 / 1_000_000)
}

pub(crate) fn pid() -> c_int {
    numbers(libc::SYS_getpid, []).map_or(0, |pid| pid as c_int)
}

pub(crate) fn parent() -> c_int {
    numbers(libc::SYS_getppid, []).map_or(0, |pid| pid as c_int)
}

/// Both are closed on exec.
pub(crate) fn pipe() -> Result<(c_int, c_int)> {
    let mut ends: [c_int; 2] = [-1; 2];
    // SAFETY: the array has room for the two.
    unsafe { call(libc::SYS_pipe2, [ends.as_mut_ptr() as usize, libc::O_CLOEXEC as usize, 0, 0, 0, 0])? };
    Ok((ends[0], ends[1]))
}

/// Replaces the set of the calling thread's blocked signals, and returns the one before.
///
/// The C library's function keeps two signals unblocked; a handler of any of them would run in the copy.
pub(crate) fn set_mask(mask: u64) -> u64 {
    let mut before = 0_u64;
    let (new, old) = (ptr::from_ref(&mask) as usize, ptr::from_mut(&mut before) as usize);
    // SAFETY: both sets are eight bytes, as they are on 64-bit Linux.
    let _ = unsafe { call(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, new, old, 8, 0, 0]) };
    before
}

/// Gives every signal its default action.
pub(crate) fn reset_actions() {
    // The kernel's structure: handler, flags, restorer where there is one, mask. Zero is the default, and no flags.
    let default = [0_u64; 4];
    for signal in 1..=64 {
        // SAFETY: the structure is at least as large as the kernel's; it names no function. Two signals are refused.
        let _ = unsafe { call(libc::SYS_rt_sigaction, [signal, default.as_ptr() as usize, 0, 8, 0, 0]) };
    }
}

/// A copy of this process, with the calling thread alone: 0 in the copy, its id here.
///
/// No handler of `pthread_atfork` runs: neither those of the C library, which take the allocator's locks, nor those of
/// other libraries.
///
/// # Safety
/// The copy may use this module alone, and must not return from the function that called this one.
pub(crate) unsafe fn copy(flags: usize, pidfd: *mut c_int) -> Result<c_int> {
    // The order of the last two differs between machines; both are unused.
    // SAFETY: by the contract; without a stack of its own, the copy has its copy of this one.
    unsafe { call(libc::SYS_clone, [flags, 0, pidfd.cast::<c_void>() as usize, 0, 0, 0]) }.map(|pid| pid as c_int)
}
