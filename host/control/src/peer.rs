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
            Some('R') => " (running)",
            Some('S') => " (waiting)",
            Some('D') => " (waiting for a disk)",
            Some('T' | 't') => " (stopped)",
            Some('Z' | 'X') => " (ended)",
            _ => "",
        };
        write!(f, "the process {pid}{doing}")
    }
}

/// The letter that the system has for what a process is doing, if it tells.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    state_in(&stat)
}

/// The name before it may contain anything.
fn state_in(stat: &[u8]) -> Option<char> {
    let end = stat.windows(2).rposition(|two| two == b") ")?;
    stat.get(end + 2).map(|letter| char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_contain_anything() {
        for (stat, letter) in [
            (&b"1 (host) S 0 1"[..], Some('S')),
            (b"1 (a) R (b) T 0 1", Some('T')),
            (b"1 (cut in \xc3) T 0 1", Some('T')),
            (b"1 (host", None),
        ] {
            assert_eq!(state_in(stat), letter, "{}", stat.escape_ascii());
        }
    }
}
