//! Starting a guardian with its child.

use std::ffi::c_int;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use hookrail_model::error::Error;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, recv, send, shutdown, socketpair,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};

use crate::plan::{self, Plan};
use crate::process::{Pipes, Process};
use crate::report::{Report, SIZE};
use crate::spec::{Spec, Stdio};
use crate::{guardian, sys};

/// A guardian, which is a child of this process that only [`Self::reap`] waits for.
pub(crate) struct Guardian {
    pid: Pid,
    /// Readable when it has ended.
    pidfd: OwnedFd,
    /// When this is closed, it ends its child.
    socket: OwnedFd,
}

/// For how long a program may take to be executed: it may be on a disk that does not answer.
const EXECUTE: Duration = Duration::from_secs(60);

/// Starts a child, and returns when its program runs.
pub(crate) fn start(spec: Spec) -> Result<(Guardian, Process), Error> {
    let program = spec.shown();
    attempt(spec).map_err(|(what, cause)| Error::system(format!("{what} {program}"), cause))
}

/// What could not be done to the program, and why.
type Failed = (&'static str, io::Error);

const CREATE: &str = "create a process for";
const WATCH: &str = "watch over";

fn attempt(spec: Spec) -> Result<(Guardian, Process), Failed> {
    let (theirs, pipes) = standard(spec.standard).map_err(|cause| ("open the standard streams of", cause))?;
    let mut spec = Spec { standard: [Stdio::Null, Stdio::Null, Stdio::Null], ..spec };
    let numbers: Vec<_> = theirs.iter().zip(0..).map(|(stream, number)| (stream.as_raw_fd(), number)).collect();
    let guardian = Guardian::start(&spec, &numbers).map_err(|cause| (CREATE, cause))?;
    let group = spec.cgroup.take();
    // Their descriptors are to be open in the child alone.
    drop((spec, theirs));
    match guardian.child() {
        Ok((child, pidfd)) => {
            let process = Process::new(child, guardian.pid, pidfd, pipes, group);
            Ok((guardian, process))
        }
        Err(failed) => {
            guardian.abandon();
            Err(failed)
        }
    }
}

impl Guardian {
    fn start(spec: &Spec, standard: &[(c_int, c_int)]) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let (socket, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let (pid, pidfd) = plan::with(spec, theirs.as_raw_fd(), standard, copy)??;
        Ok(Guardian { pid, pidfd, socket })
    }

    /// Waits until the program runs, takes a descriptor of its process, and lets the guardian go on.
    fn child(&self) -> Result<(Pid, OwnedFd), Failed> {
        let watching = |error: Errno| (WATCH, error.into());
        match self.first_report().map_err(|cause| (WATCH, cause))? {
            Some(Report::Started { pid }) => {
                let pid = Pid::from_raw(pid).ok_or((WATCH, io::ErrorKind::InvalidData.into()))?;
                // It may have ended, but is not reaped before the guardian hears from here.
                let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(watching)?;
                send(&self.socket, &[1], SendFlags::NOSIGNAL).map_err(watching)?;
                Ok((pid, pidfd))
            }
            Some(Report::Failed { step, errno }) => Err((step.what(), io::Error::from_raw_os_error(errno))),
            _ => Err((WATCH, io::Error::other("its guardian was killed"))),
        }
    }

    fn first_report(&self) -> io::Result<Option<Report>> {
        if !wait(self.socket.as_fd(), EXECUTE)? {
            // In the middle of it the guardian listens to nobody. The child ends with it.
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it was not executed within a minute"));
        }
        self.report()
    }

    /// The next message, if there is one.
    fn report(&self) -> io::Result<Option<Report>> {
        let mut message = [0; SIZE];
        loop {
            match recv(&self.socket, &mut message, RecvFlags::DONTWAIT) {
                Ok((length, _)) => return Ok(Report::decode(message.get(..length).unwrap_or_default())),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::CONNRESET) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// What it said last. It has ended.
    pub(crate) fn reap(self) -> Option<Report> {
        // It tells nobody by a signal when it ends, so it is found only by those who ask for such children too.
        let all = WaitIdOptions::EXITED | WaitIdOptions::from_bits_retain(libc::__WALL.cast_unsigned());
        while let Err(Errno::INTR) = waitid(WaitId::PidFd(self.pidfd.as_fd()), all) {}
        self.report().ok().flatten()
    }

    /// Has it end its child, if there is any, and waits for that.
    pub(crate) fn abandon(self) {
        let _ = shutdown(&self.socket, Shutdown::Both);
        if matches!(wait(self.pidfd(), EXECUTE), Ok(true)) {
            self.reap();
        }
    }
}

/// Copies this process: the copy becomes a guardian.
fn copy(plan: &mut Plan<'_>) -> io::Result<(Pid, OwnedFd)> {
    let mut pidfd = -1;
    // Until the copy has given them their default actions, signals would run handlers of the host in it.
    let mask = sys::set_mask(u64::MAX);
    // Without a signal at its end: the program around this host has its own handlers and waits, which are not to see it.
    // SAFETY: the copy only runs `guardian::run`, which never returns.
    let copied = unsafe { sys::copy(libc::CLONE_PIDFD as usize, &raw mut pidfd) };
    if copied == Ok(0) {
        // SAFETY: this is the copy, and nobody but `plan` makes plans.
        unsafe { guardian::run(plan) }
    }
    sys::set_mask(mask);
    let pid = copied.map_err(io::Error::from_raw_os_error)?;
    // Linux before 5.2 ignores the flag.
    let pid = Pid::from_raw(pid).filter(|_| pidfd >= 0).ok_or(io::ErrorKind::Unsupported)?;
    // SAFETY: the system has just opened it for this.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

/// The child's ends of its standard streams, and the host's.
fn standard(standard: [Stdio; 3]) -> io::Result<([OwnedFd; 3], Pipes)> {
    let mut pipes = Pipes::default();
    let [stdin, stdout, stderr] = standard;
    let theirs = [
        stream(stdin, &mut pipes.stdin, |(read, write)| (read, write))?,
        stream(stdout, &mut pipes.stdout, |(read, write)| (write, read))?,
        stream(stderr, &mut pipes.stderr, |(read, write)| (write, read))?,
    ];
    Ok((theirs, pipes))
}

fn stream(
    kind: Stdio,
    ours: &mut Option<OwnedFd>,
    split: impl FnOnce((OwnedFd, OwnedFd)) -> (OwnedFd, OwnedFd),
) -> io::Result<OwnedFd> {
    Ok(match kind {
        Stdio::Fd(descriptor) => descriptor,
        Stdio::Null => OpenOptions::new().read(true).write(true).open("/dev/null")?.into(),
        Stdio::Pipe => {
            let (theirs, other) = split(pipe_with(PipeFlags::CLOEXEC)?);
            *ours = Some(other);
            theirs
        }
    })
}

/// Waits until a descriptor can be read, but not longer than that.
fn wait(descriptor: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    let mut ready = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(&mut ready, Timespec::try_from(left).ok().as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
