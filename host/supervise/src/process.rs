//! A child that was started.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io};

use hookrail_model::guarded;
use hookrail_model::unit::Exit;
use parking_lot::{Condvar, Mutex};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, pidfd_send_signal};

use crate::cgroup::{Cgroup, Reached};

/// A child that was started, and is supervised whether this is dropped or not.
///
/// It has ended when the child has and none of its descendants is left; what it leaves is killed.
#[derive(Clone)]
pub struct Process {
    shared: Arc<Shared>,
}

/// The ends of a child's pipes that the host has.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
}

struct Shared {
    pid: Pid,
    guardian: Pid,
    pipes: Mutex<Pipes>,
    /// Its group, until it has ended.
    group: Mutex<Option<Cgroup>>,
    state: Mutex<State>,
    ended: Condvar,
}

/// # Invariants
/// Either `exit` is there, with `reached` and nothing else, or `pidfd` is, of a child that its guardian may have reaped:
/// so nothing is sent to its number, ever.
struct State {
    pidfd: Option<OwnedFd>,
    exit: Option<Exit>,
    reached: Reached,
    callbacks: Vec<Box<dyn FnOnce(Exit) + Send>>,
}

impl Process {
    pub(crate) fn new(pid: Pid, guardian: Pid, pidfd: OwnedFd, pipes: Pipes, group: Option<Cgroup>) -> Self {
        // INVARIANT: it has not ended as far as is known.
        let state = State { pidfd: Some(pidfd), exit: None, reached: Reached::default(), callbacks: Vec::new() };
        let (pipes, group, state) = (Mutex::new(pipes), Mutex::new(group), Mutex::new(state));
        Process { shared: Arc::new(Shared { pid, guardian, pipes, group, state, ended: Condvar::new() }) }
    }

    /// The number of its process, for people: it may be another's once this one has ended.
    pub fn pid(&self) -> u32 {
        self.shared.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// The number of its guardian's process, for people.
    pub fn guardian(&self) -> u32 {
        self.shared.guardian.as_raw_nonzero().get().cast_unsigned()
    }

    /// The end of its stdin to write to, once, if that is a pipe.
    pub fn take_stdin(&self) -> Option<OwnedFd> {
        self.shared.pipes.lock().stdin.take()
    }

    /// The end of its stdout to read from, once, if that is a pipe.
    pub fn take_stdout(&self) -> Option<OwnedFd> {
        self.shared.pipes.lock().stdout.take()
    }

    /// The end of its stderr to read from, once, if that is a pipe.
    pub fn take_stderr(&self) -> Option<OwnedFd> {
        self.shared.pipes.lock().stderr.take()
    }

    /// Sends a signal to the child, but not to its descendants. One that has ended gets none.
    ///
    /// # Errors
    /// If the number is of no signal, or the system refuses since the child is another user's.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let number = Signal::from_named_raw(signal).ok_or(io::ErrorKind::InvalidInput)?;
        match self.with_pidfd(|pidfd| pidfd_send_signal(pidfd, number)) {
            None | Some(Ok(()) | Err(Errno::SRCH)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Kills the child and all of its descendants, and does not wait for their end.
    pub fn kill(&self) {
        // The guardian kills the others when the child has ended.
        let _ = self.signal(libc::SIGKILL);
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<Exit> {
        self.shared.state.lock().exit
    }

    /// Which limits of its group it has reached, once it has ended.
    pub fn reached(&self) -> Reached {
        self.shared.state.lock().reached
    }

    /// Waits for its end, but not longer than that.
    ///
    /// On the supervisor's thread, which runs the functions of [`Self::on_exit`], it would wait in vain.
    pub fn wait(&self, limit: Duration) -> Option<Exit> {
        let deadline = Instant::now().checked_add(limit);
        let mut state = self.shared.state.lock();
        while state.exit.is_none() {
            match deadline {
                None => self.shared.ended.wait(&mut state),
                Some(deadline) => {
                    if self.shared.ended.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        state.exit
    }

    /// Has a function called when it ends, on the supervisor's thread, which tells no other end meanwhile: it is to be
    /// short. If it has ended already, the function is called here and now.
    pub fn on_exit(&self, run: impl FnOnce(Exit) + Send + 'static) {
        let mut state = self.shared.state.lock();
        match state.exit {
            None => state.callbacks.push(Box::new(run)),
            Some(exit) => {
                drop(state);
                run(exit);
            }
        }
    }

    /// Does something with the descriptor of its process, if it has not ended.
    pub(crate) fn with_pidfd<R>(&self, run: impl FnOnce(BorrowedFd<'_>) -> R) -> Option<R> {
        self.shared.state.lock().pidfd.as_ref().map(|pidfd| run(pidfd.as_fd()))
    }

    /// Tells its end to all who wait for it.
    pub(crate) fn ended(&self, exit: Exit) {
        // It is removed here.
        let reached = self.shared.group.lock().take().map(|group| group.reached());
        let mut state = self.shared.state.lock();
        state.reached = reached.unwrap_or_default();
        state.exit = Some(exit);
        state.pidfd = None;
        let callbacks = std::mem::take(&mut state.callbacks);
        self.shared.ended.notify_all();
        drop(state);
        for run in callbacks {
            // One that panics must not end the thread that all others rely on.
            guarded((), || run(exit));
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("pid", &self.pid()).field("exit", &self.exit()).finish()
    }
}
