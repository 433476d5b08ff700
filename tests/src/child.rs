//! Runs code in a forked child: for what a fork does, and where the kernel is expected to end it. A test that needs a
//! process for itself begins with [`alone!`](crate::alone) instead.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It ended by itself, with this code.
    Exited(i32),
    /// This signal ended it.
    Killed(i32),
}

/// The exit code of a child that panicked.
pub const PANICKED: i32 = 101;

/// The longest that a child may take, in seconds: more than it waits for anything.
const LONGEST: u32 = 300;

/// Forks, runs `body` in the child, and waits for it. The child has one thread, and runs no destructors at its end; if
/// it hangs, a signal ends it.
pub fn in_child(body: impl FnOnce()) -> Ended {
    in_child_within(LONGEST, body)
}

/// The same for a child that may well hang: the signal comes after so many seconds.
pub fn in_child_within(seconds: u32, body: impl FnOnce()) -> Ended {
    // SAFETY: the child runs what `body` is, and then ends without returning here. glibc keeps its
    // own locks usable in the child of a process with threads.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: plain calls.
            unsafe { libc::alarm(seconds) };
            let code = catch_unwind(AssertUnwindSafe(body)).map_or(PANICKED, |()| 0);
            // SAFETY: it ends the child, in which nothing else runs.
            unsafe { libc::_exit(code) }
        }
        child => {
            let mut status = 0;
            // SAFETY: it is our child, and nobody else waits for it.
            while unsafe { libc::waitpid(child, &mut status, 0) } != child {}
            if libc::WIFEXITED(status) {
                Ended::Exited(libc::WEXITSTATUS(status))
            } else {
                Ended::Killed(libc::WTERMSIG(status))
            }
        }
    }
}
