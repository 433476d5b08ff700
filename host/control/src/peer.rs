//! The process at the other end of a connection, as the system recorded it.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// A process. Where it listens, it is the one that listened first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Its PID here; `None` if it cannot be seen from here, as in another PID namespace.
    pub(crate) pid: Option<u32>,
    /// Its user.
    pub(crate) user: u32,
}

impl Peer {
    pub(crate) fn of(stream: &impl AsFd) -> io::Result<Self> {
        let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut size = size_of::<libc::ucred>() as libc::socklen_t;
        let fd = stream.as_fd().as_raw_fd();
        // Not by rustix, whose PIDs are never 0: a process that is invisible to us has PID 0.
        // SAFETY: the structure is what this option writes, and its size is told.
        let asked =
            unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut peer).cast(), &raw mut size) };
        if asked != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Peer { pid: u32::try_from(peer.pid).ok().filter(|pid| *pid != 0), user: peer.uid })
    }

    /// The PID, if the process is stopped, and so answers nothing.
    pub(crate) fn stopped(self) -> Option<u32> {
        self.pid.filter(|pid| matches!(state(*pid), Some('T' | 't')))
    }
}

/// With what it is doing.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(pid) = self.pid else { return f.write_str("a process that cannot be seen from here") };
        let doing = match state(pid) {
            Some('R') => "which is running",
            Some('S') => "which is waiting",
            Some('D') => "which is waiting for a disk",
            Some('T' | 't') => "which is stopped",
            Some('Z' | 'X') | None => "which has ended",
            Some(_) => "which is idle",
        };
        write!(f, "the process {pid}, {doing}")
    }
}

/// The letter that the system has for what a process is doing.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may contain anything.
    stat.rsplit_once(") ")?.1.chars().next()
}
