//! Ctrl-C and SIGTERM: the first one ends the reading, the second one the process.

use std::fs::File;
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::{from_mut, from_ref, null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use libc::{POLLIN, SA_RESETHAND, SIG_IGN, SIGINT, SIGTERM, c_int, pollfd};

use crate::error::Error;

static HAS_COME: AtomicBool = AtomicBool::new(false);
/// The descriptor that wakes a waiting reader. It stays open for the life of the process, since the
/// handler may run at any time.
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// The handler, installed.
pub(crate) struct Interrupt(());

/// What a wait for input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    Input,
    Interrupted,
    NotYet,
}

impl Interrupt {
    pub(crate) fn install() -> Result<Self, Error> {
        let failed = |source| Error::System { what: "handle Ctrl-C", source };
        // SAFETY: makes a descriptor.
        let wake = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if wake < 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        // Relaxed: the handler is installed behind it, on this thread.
        WAKE.store(wake, Ordering::Relaxed);
        for signal in [SIGINT, SIGTERM] {
            // SAFETY: all zeros is a valid `sigaction`, and `handle` only does what a handler may.
            unsafe {
                let mut before: libc::sigaction = zeroed();
                let mut action: libc::sigaction = zeroed();
                action.sa_sigaction = handle as extern "C" fn(c_int) as usize;
                // The second signal finds the default again: whoever is stuck can be ended.
                action.sa_flags = SA_RESETHAND;
                if libc::sigaction(signal, null(), from_mut(&mut before)) != 0 {
                    return Err(failed(io::Error::last_os_error()));
                }
                // Whoever started us may have said that we shall not be disturbed (`nohup`, `&`).
                if before.sa_sigaction != SIG_IGN && libc::sigaction(signal, from_ref(&action), null_mut()) != 0 {
                    return Err(failed(io::Error::last_os_error()));
                }
            }
        }
        Ok(Interrupt(()))
    }

    pub(crate) fn has_come(&self) -> bool {
        // Relaxed: nothing else is read by it.
        HAS_COME.load(Ordering::Relaxed)
    }

    /// Does this when it has come, on a thread of its own.
    pub(crate) fn then(&self, what: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let wait = move || {
            let mut wake = pollfd { fd: WAKE.load(Ordering::Relaxed), events: POLLIN, revents: 0 };
            while !HAS_COME.load(Ordering::Relaxed) {
                // SAFETY: an array of one. Whatever it answers, we look.
                unsafe { libc::poll(from_mut(&mut wake), 1, -1) };
            }
            what();
        };
        let spawned = std::thread::Builder::new().name("interrupt".into()).spawn(wait);
        spawned.map(drop).map_err(|source| Error::System { what: "start a thread", source })
    }

    /// Whether there is something to read, or the end of it.
    pub(crate) fn look(&self, input: &File) -> io::Result<Ready> {
        self.poll(input, 0)
    }

    /// Waits until there is something to read, or the end of it.
    pub(crate) fn wait(&self, input: &File) -> io::Result<Ready> {
        self.poll(input, -1)
    }

    fn poll(&self, input: &File, timeout: c_int) -> io::Result<Ready> {
        let of = |fd| pollfd { fd, events: POLLIN, revents: 0 };
        let mut both = [of(input.as_fd().as_raw_fd()), of(WAKE.load(Ordering::Relaxed))];
        loop {
            // SAFETY: an array of two.
            let ready = unsafe { libc::poll(both.as_mut_ptr(), 2, timeout) };
            match ready {
                _ if self.has_come() => return Ok(Ready::Interrupted),
                0 => return Ok(Ready::NotYet),
                1.. => return Ok(Ready::Input),
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// Only what a signal handler may do: two atomics and one system call.
extern "C" fn handle(_signal: c_int) {
    HAS_COME.store(true, Ordering::Relaxed);
    let one = 1u64;
    // SAFETY: an eventfd takes 8 bytes, and never blocks when it is told not to.
    unsafe { libc::write(WAKE.load(Ordering::Relaxed), from_ref(&one).cast(), 8) };
}
