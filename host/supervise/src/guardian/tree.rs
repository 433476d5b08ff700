//! The child and its descendants, as their subreaper sees them.

use std::ffi::{c_int, c_long};
use std::ptr;

use crate::report::Report;
use crate::sys;

/// The children of this process, of which one is the child.
pub(super) struct Tree {
    child: c_int,
    /// The file that lists the children.
    list: c_int,
    /// How the child ended, when it was reaped.
    ended: Option<(c_int, libc::rusage)>,
}

/// Opens the list of this thread's children, which are all of a process with one thread.
pub(super) fn open_children() -> sys::Result<c_int> {
    let path = c"/proc/thread-self/children".as_ptr() as usize;
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    // SAFETY: the path is a C string.
    unsafe { sys::call(libc::SYS_openat, [sys::fd(libc::AT_FDCWD), path, flags, 0, 0, 0]) }.map(|fd| fd as c_int)
}

impl Tree {
    pub(super) fn new(child: c_int, list: c_int) -> Self {
        Tree { child, list, ended: None }
    }

    /// Reaps what has ended, and returns whether the child has not.
    pub(super) fn lives(&mut self) -> bool {
        self.has_any() && self.ended.is_none()
    }

    /// Reaps what has ended, and returns whether anything is left.
    pub(super) fn has_any(&mut self) -> bool {
        loop {
            match self.reap(-1, libc::WNOHANG) {
                Ok(0) => return true,
                Ok(_) | Err(libc::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Waits for the child.
    pub(super) fn reap_child(&mut self) {
        while self.reap(self.child, 0) == Err(libc::EINTR) {}
    }

    fn reap(&mut self, pid: c_int, flags: c_int) -> sys::Result<usize> {
        let mut status: c_int = 0;
        // SAFETY: it is made of numbers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        let flags = (flags | libc::__WALL) as usize;
        let (status_at, usage_at) = (ptr::from_mut(&mut status) as usize, ptr::from_mut(&mut usage) as usize);
        // SAFETY: both places are these; their layout is the kernel's on 64-bit Linux.
        let reaped = unsafe { sys::call(libc::SYS_wait4, [sys::fd(pid), status_at, flags, usage_at, 0, 0])? };
        if reaped as c_int == self.child && self.ended.is_none() {
            self.ended = Some((status, usage));
        }
        Ok(reaped)
    }

    /// Kills every child, and returns how many they were. What they leave becomes a child of this process, for the next
    /// time.
    pub(super) fn kill(&self) -> u32 {
        let mut buffer = [0; 1024];
        let (mut at, mut pid, mut count) = (0_usize, 0 as c_int, 0_u32);
        while let Ok(length @ 1..) = sys::read_at(self.list, &mut buffer, at) {
            at = at.wrapping_add(length);
            // Numbers, each with a space behind it.
            for byte in buffer.get(..length).unwrap_or_default() {
                match byte {
                    b'0'..=b'9' => pid = pid.wrapping_mul(10).wrapping_add(c_int::from(byte - b'0')),
                    // It is a child of this process and not reaped, so the number is its own.
                    _ if pid > 0 => {
                        let _ = sys::kill(pid, libc::SIGKILL);
                        (pid, count) = (0, count.saturating_add(1));
                    }
                    _ => {}
                }
            }
        }
        count
    }

    /// How it ended.
    pub(super) fn report(&self, survivors: u32) -> Report {
        let Some((status, usage)) = self.ended else {
            // The child itself is among the survivors.
            return Report::Ended { status: -1, user_us: 0, system_us: 0, max_rss_kib: 0, survivors };
        };
        let microseconds =
            |time: libc::timeval| -> c_long { time.tv_sec.wrapping_mul(1_000_000).wrapping_add(time.tv_usec) };
        Report::Ended {
            status,
            user_us: microseconds(usage.ru_utime),
            system_us: microseconds(usage.ru_stime),
            max_rss_kib: usage.ru_maxrss,
            survivors,
        }
    }
}
