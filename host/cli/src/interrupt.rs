//! Ctrl-C and SIGTERM: the first one ends the reading, the second one the process.
//!
//! `signal-hook` goes on to call the handler that it finds. Found before any plugin is loaded, that is
//! none of a plugin, which might be unmapped by then; so there are two steps, and in between the signals
//! do what they do to any program.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level::pipe};

use crate::error::Error;

/// The handlers, installed; the next signal still ends the process at once.
pub(crate) struct Prepared {
    interrupt: Interrupt,
    /// What the system does on each signal that is heard.
    actions: Vec<(i32, libc::sigaction)>,
}

/// The handlers: the next signal is noted, and the one behind it ends the process.
pub(crate) struct Interrupt {
    /// Whether the next signal ends the process at once; for one who has armed this, whether one has come.
    at_once: Arc<AtomicBool>,
    /// The last signal that has come; 0 for none.
    last: Arc<AtomicUsize>,
    /// Those of the two that we are to hear at all.
    heard: Vec<i32>,
    /// Wakes the one thread that waits for input.
    wake: UnixStream,
    /// The end that signals write to. Where none is heard nobody else keeps it, and a closed one wakes for ever.
    _waker: UnixStream,
}

/// What a wait for input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    Input,
    Interrupted,
    NotYet,
}

impl Prepared {
    /// From here on a signal is noted, whatever a plugin has put in our place while it was loaded.
    pub(crate) fn arm(self) -> Interrupt {
        self.interrupt.at_once.store(false, Ordering::Relaxed);
        for (signal, action) in &self.actions {
            // SAFETY: it is what the system said of this signal when our handlers were in place, and they stay.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
        self.interrupt
    }
}

impl Interrupt {
    /// The first step, before any plugin is loaded.
    pub(crate) fn prepare() -> Result<Prepared, Error> {
        let install = || {
            let (wake, waker) = UnixStream::pair()?;
            wake.set_nonblocking(true)?;
            let (at_once, last) = (Arc::new(AtomicBool::new(true)), Arc::default());
            let mut heard = Vec::new();
            for signal in [SIGINT, SIGTERM] {
                // Whoever started us may have said that we shall not be disturbed (`nohup`, `&`).
                if !is_ignored(signal)? {
                    heard.push(signal);
                }
            }
            for signal in &heard {
                // In this order they run: the second signal ends whoever is stuck, and who is woken finds the
                // first one noted.
                flag::register_conditional_default(*signal, at_once.clone())?;
                flag::register_usize(*signal, Arc::clone(&last), signal.unsigned_abs() as usize)?;
                flag::register(*signal, at_once.clone())?;
                pipe::register(*signal, waker.try_clone()?)?;
            }
            let actions = heard.iter().map(|signal| Ok((*signal, action(*signal)?))).collect::<io::Result<_>>()?;
            Ok(Prepared { interrupt: Interrupt { at_once, last, heard, wake, _waker: waker }, actions })
        };
        install().map_err(failed)
    }

    /// Both steps, where no plugin is loaded.
    pub(crate) fn install() -> Result<Self, Error> {
        Self::prepare().map(Prepared::arm)
    }

    pub(crate) fn has_come(&self) -> bool {
        // Relaxed: nothing else is read by it.
        self.at_once.load(Ordering::Relaxed)
    }

    /// Whether it was the terminal that asked for it, and not whoever supervises us: SIGINT, and not SIGTERM.
    pub(crate) fn is_ctrl_c(&self) -> bool {
        // Relaxed: nothing else is read by it.
        self.last.load(Ordering::Relaxed) == SIGINT.unsigned_abs() as usize
    }

    /// Does this when it has come, on a thread of its own.
    pub(crate) fn then(&self, what: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let mut signals = Signals::new(&self.heard).map_err(failed)?;
        let has_come = self.at_once.clone();
        let wait = move || {
            // What came before there was anybody to be told is noted.
            if !has_come.load(Ordering::Relaxed) {
                signals.forever().next();
            }
            what();
        };
        let spawned = std::thread::Builder::new().name("interrupt".into()).spawn(wait);
        spawned.map(drop).map_err(|source| Error::System { what: "start a thread", source })
    }

    /// Whether there is something to read, or the end of it.
    pub(crate) fn look(&self, input: &File) -> io::Result<Ready> {
        self.poll(input, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    }

    /// Waits until there is something to read, or the end of it.
    pub(crate) fn wait(&self, input: &File) -> io::Result<Ready> {
        self.poll(input, None)
    }

    fn poll(&self, input: &File, timeout: Option<&Timespec>) -> io::Result<Ready> {
        while !self.has_come() {
            let mut both = [PollFd::new(input, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
            match poll(&mut both, timeout) {
                Ok(0) => return Ok(Ready::NotYet),
                // Noted is what comes to this process: the child of a fork has our end of the pair too.
                Ok(_) if !both[1].revents().is_empty() => _ = (&self.wake).read(&mut [0; 64]),
                Ok(_) => return Ok(Ready::Input),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ready::Interrupted)
    }
}

fn failed(source: io::Error) -> Error {
    Error::System { what: "handle Ctrl-C", source }
}

/// What the system does on a signal.
fn action(signal: i32) -> io::Result<libc::sigaction> {
    let mut action = std::mem::MaybeUninit::uninit();
    // SAFETY: it only writes what there is now.
    if unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it was written.
    Ok(unsafe { action.assume_init() })
}

fn is_ignored(signal: i32) -> io::Result<bool> {
    Ok(action(signal)?.sa_sigaction == libc::SIG_IGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The runtime of Rust ignores SIGPIPE in every program.
    #[test]
    fn what_is_ignored_is_known() {
        let ignored = [libc::SIGPIPE, SIGTERM].map(|signal| is_ignored(signal).unwrap());
        assert_eq!(ignored, [true, false]);
    }

    #[test]
    fn a_handler_that_came_meanwhile_takes_no_signal_from_us() {
        extern "C" fn theirs(_: i32) {}
        let prepared = Interrupt::prepare().unwrap();
        let handler = theirs as extern "C" fn(i32);
        // SAFETY: the handler does nothing.
        unsafe { libc::signal(SIGTERM, handler as libc::sighandler_t) };
        let interrupt = prepared.arm();
        // SAFETY: our handlers note it.
        unsafe { libc::raise(SIGTERM) };
        assert!(interrupt.has_come());
    }

    #[test]
    fn what_is_no_interrupt_of_this_process_wakes_nobody_up() {
        let (wake, waker) = UnixStream::pair().unwrap();
        wake.set_nonblocking(true).unwrap();
        let interrupt =
            Interrupt { at_once: Arc::default(), last: Arc::default(), heard: Vec::new(), wake, _waker: waker };
        std::io::Write::write_all(&mut &interrupt._waker, b"x").unwrap();
        let (input, writer) = std::io::pipe().unwrap();
        let input = File::from(std::os::fd::OwnedFd::from(input));
        assert_eq!(interrupt.look(&input).unwrap(), Ready::NotYet);
        drop(writer);
        assert_eq!(interrupt.wait(&input).unwrap(), Ready::Input);
        interrupt.at_once.store(true, Ordering::Relaxed);
        assert_eq!(interrupt.wait(&input).unwrap(), Ready::Interrupted);
    }
}
