//! A descriptor that says that there is something to do.
//!
//! It is given to plugins, also in other processes, which may set its flags as they like: so nothing here waits, whatever
//! the flags are.

use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

#[derive(Debug)]
pub(crate) struct Watched {
    ours: OwnedFd,
    theirs: OwnedFd,
    /// Whether it says so.
    is_told: bool,
}

impl Watched {
    /// `None` if the system has no more descriptors.
    pub(crate) fn new() -> Option<Self> {
        let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        pair.ok().map(|(ours, theirs)| Watched { ours, theirs, is_told: false })
    }

    /// Another descriptor of it.
    pub(crate) fn give(&self) -> Option<OwnedFd> {
        self.theirs.try_clone().ok()
    }

    /// There is something to do, or not.
    pub(crate) fn tell(&mut self, is_so: bool) {
        if is_so && !self.is_told {
            // What cannot be told is there already.
            let _ = send(&self.ours, &[0], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
        if !is_so && self.is_told {
            // Whoever has it may have read it.
            let _ = recv(&self.theirs, &mut [0_u8; 8], RecvFlags::DONTWAIT);
        }
        self.is_told = is_so;
    }
}
