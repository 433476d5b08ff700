//! Ctrl-C and SIGTERM, and SIGHUP where it is not heard for something else: the first one ends the reading, the second one
//! the process.
//!
//! `signal-hook` continues to call the handler that was installed before its own. If it is installed before any plugin
//! is loaded, that handler cannot be a plugin's, which might be unmapped by then. So there are two steps, and between
//! them the signals have their default effect.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level::pipe};

use crate::error::Error;
use crate::stdout;

/// The handlers are installed; the next signal still ends the process at once.
pub(crate) struct Prepared {
    interrupt: Interrupt,
    /// The previous action of each handled signal.
    actions: Vec<(i32, libc::sigaction)>,
}

/// The handlers: the next signal is recorded, and the one after it ends the process.
pub(crate) struct Interrupt {
    /// Whether the next signal ends the process at once; once armed, whether a signal has come.
    at_once: Arc<AtomicBool>,
    /// The last signal that has come; 0 for none.
    last: Arc<AtomicUsize>,
    /// Those of them that we are to hear at all.
    heard: Vec<i32>,
    /// Wakes the thread that waits for input.
    wake: UnixStream,
    /// The end that signals write to. If no signal is handled, only this keeps it open, and a closed one would wake the
    /// thread forever.
    waker: UnixStream,
}

/// Ends the reading if the thread that drops it panics: the input may be one that is waited for.
pub(crate) struct EndedByPanic<'a>(&'a Interrupt);

/// The result of waiting for input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    Input,
    Interrupted,
    NotYet,
}

impl Prepared {
    /// Arms the handlers, whatever handlers a plugin has installed while it was loaded.
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
        Self::prepare_for(&[SIGHUP, SIGINT, SIGTERM])
    }

    /// As [`prepare`](Self::prepare), for a program that does not end by SIGHUP.
    pub(crate) fn prepare_to_stay() -> Result<Prepared, Error> {
        Self::prepare_for(&[SIGINT, SIGTERM])
    }

    fn prepare_for(signals: &[i32]) -> Result<Prepared, Error> {
        let install = || {
            let (wake, waker) = UnixStream::pair()?;
            wake.set_nonblocking(true)?;
            let (at_once, last) = (Arc::new(AtomicBool::new(true)), Arc::default());
            let mut heard = Vec::new();
            for signal in signals.iter().copied() {
                // The parent process may have asked us to ignore the signal (`nohup`, `&`).
                if !is_ignored(signal)? {
                    heard.push(signal);
                }
            }
            for signal in &heard {
                // They run in this order: the second signal ends the process even if it is stuck, and a woken thread
                // finds the first signal recorded.
                flag::register_conditional_default(*signal, at_once.clone())?;
                flag::register_usize(*signal, Arc::clone(&last), signal.unsigned_abs() as usize)?;
                flag::register(*signal, at_once.clone())?;
                pipe::register(*signal, waker.try_clone()?)?;
            }
            let actions = heard.iter().map(|signal| Ok((*signal, action(*signal)?))).collect::<io::Result<_>>()?;
            Ok(Prepared { interrupt: Interrupt { at_once, last, heard, wake, waker }, actions })
        };
        install().map_err(failed)
    }

    /// Both steps, for commands that load no plugin.
    pub(crate) fn install() -> Result<Self, Error> {
        Self::prepare().map(Prepared::arm)
    }

    pub(crate) fn has_come(&self) -> bool {
        // Relaxed: it guards no other data.
        self.at_once.load(Ordering::Relaxed)
    }

    /// Whether it was the terminal that asked for it, and not whoever supervises us: SIGINT, and neither SIGTERM nor SIGHUP.
    pub(crate) fn is_ctrl_c(&self) -> bool {
        // Relaxed: nothing else is read by it.
        self.last.load(Ordering::Relaxed) == SIGINT.unsigned_abs() as usize
    }

    /// Waits for that long, or until it has come; returns whether it has.
    pub(crate) fn wait_for(&self, time: Duration) -> bool {
        let timeout = Timespec::try_from(time).ok();
        let mut wake = [PollFd::new(&self.wake, PollFlags::IN)];
        if !self.has_come() && poll(&mut wake, timeout.as_ref()).is_ok_and(|count| count > 0) {
            _ = (&self.wake).read(&mut [0; 64]);
        }
        self.has_come()
    }

    /// As if it had come: the thread that waits for input waits no longer.
    pub(crate) fn end_reading(&self) {
        self.at_once.store(true, Ordering::Relaxed);
        // If it is full, that thread wakes all the same.
        let _ = (&self.waker).write(&[0]);
    }

    /// For a thread without which the reading has no use.
    pub(crate) fn ended_by_panic(&self) -> EndedByPanic<'_> {
        EndedByPanic(self)
    }

    /// Does this when it has come, on a thread of its own.
    pub(crate) fn then(&self, what: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let mut signals = Signals::new(&self.heard).map_err(failed)?;
        let has_come = self.at_once.clone();
        let wait = move || {
            // A signal that came before the thread was listening is recorded.
            if !has_come.load(Ordering::Relaxed) {
                signals.forever().next();
            }
            what();
        };
        let spawned = std::thread::Builder::new().name("interrupt".into()).spawn(wait);
        spawned.map(drop).map_err(|cause| Error::system("start a thread", cause))
    }

    /// Whether there is input or its end, without waiting.
    pub(crate) fn look(&self, input: &File) -> io::Result<Ready> {
        self.poll(input, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    }

    /// Waits for input or its end.
    pub(crate) fn wait(&self, input: &File) -> io::Result<Ready> {
        self.poll(input, None)
    }

    fn poll(&self, input: &File, timeout: Option<&Timespec>) -> io::Result<Ready> {
        while !self.has_come() {
            let mut both = [PollFd::new(input, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
            match poll(&mut both, timeout) {
                Ok(0) => return Ok(Ready::NotYet),
                // A signal is recorded only in the process that received it: the child of a fork shares the socket
                // pair.
                Ok(_) if !both[1].revents().is_empty() => _ = (&self.wake).read(&mut [0; 64]),
                Ok(_) => return Ok(Ready::Input),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ready::Interrupted)
    }
}

impl Drop for EndedByPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end_reading();
        }
    }
}

/// SIGHUP, for a program that does something at each. Before any plugin is loaded, like the first step above; `None` if the
/// parent process has asked us to ignore it.
pub(crate) fn hang_ups() -> Result<Option<Signals>, Error> {
    let listen = || if is_ignored(SIGHUP)? { Ok(None) } else { Signals::new([SIGHUP]).map(Some) };
    listen().map_err(failed)
}

/// Both for a program in a terminal or elsewhere: in one, SIGHUP means that it has gone, and ends the program as Ctrl-C does.
pub(crate) fn prepare_unless_terminal() -> Result<(Prepared, Option<Signals>), Error> {
    if io::stdin().is_terminal() || stdout::ours().is_terminal() || io::stderr().is_terminal() {
        Ok((Interrupt::prepare()?, None))
    } else {
        Ok((Interrupt::prepare_to_stay()?, hang_ups()?))
    }
}

fn failed(cause: io::Error) -> Error {
    Error::system("handle Ctrl-C", cause)
}

/// The current action of a signal.
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

    /// Rust's runtime ignores SIGPIPE in every program.
    #[test]
    fn ignored_signals_are_known() {
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

    /// One that hears no signal: another test may raise one in this process.
    fn deaf() -> Interrupt {
        let (wake, waker) = UnixStream::pair().unwrap();
        wake.set_nonblocking(true).unwrap();
        Interrupt { at_once: Arc::default(), last: Arc::default(), heard: Vec::new(), wake, waker }
    }

    #[test]
    fn a_panic_ends_the_reading_and_an_end_does_not() {
        let interrupt = deaf();
        let (input, _writer) = std::io::pipe().unwrap();
        let input = File::from(std::os::fd::OwnedFd::from(input));
        drop(interrupt.ended_by_panic());
        assert_eq!(interrupt.look(&input).unwrap(), Ready::NotYet);
        std::thread::scope(|scope| {
            let panicking = || {
                let _ended = interrupt.ended_by_panic();
                panic!("as a test")
            };
            assert!(scope.spawn(panicking).join().is_err());
            // Would wait for ever: the writer is there, and writes nothing.
            assert_eq!(interrupt.wait(&input).unwrap(), Ready::Interrupted);
        });
    }

    #[test]
    fn other_signals_do_not_interrupt() {
        let interrupt = deaf();
        std::io::Write::write_all(&mut &interrupt.waker, b"x").unwrap();
        let (input, writer) = std::io::pipe().unwrap();
        let input = File::from(std::os::fd::OwnedFd::from(input));
        assert_eq!(interrupt.look(&input).unwrap(), Ready::NotYet);
        drop(writer);
        assert_eq!(interrupt.wait(&input).unwrap(), Ready::Input);
        interrupt.at_once.store(true, Ordering::Relaxed);
        assert_eq!(interrupt.wait(&input).unwrap(), Ready::Interrupted);
    }
}
