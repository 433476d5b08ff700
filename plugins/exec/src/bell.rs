//! What a thread that waits for descriptors is woken with.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use hookrail_abi::prelude::*;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// A bell that stays rung until the thread that it is for has heard it.
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> Result<Self> {
        Ok(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(crate) fn ring(&self) {
        // It fails only if it was rung so often that it is heard anyway.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// It is heard: from now on it waits to be rung again.
    pub(crate) fn hear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of them is ready, but not longer than that.
pub(crate) fn wait(polled: &mut [PollFd<'_>], limit: Option<Duration>) {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    // An interrupted wait is one that ended early: whoever waits looks at everything again.
    let _ = poll(polled, limit.as_ref());
}

/// A descriptor that is waited for until it can be read.
pub(crate) fn readable<'a>(descriptor: &'a impl AsFd) -> PollFd<'a> {
    PollFd::new(descriptor, PollFlags::IN)
}

/// A descriptor that is waited for until it can be written.
pub(crate) fn writable<'a>(descriptor: &'a impl AsFd) -> PollFd<'a> {
    PollFd::new(descriptor, PollFlags::OUT)
}
