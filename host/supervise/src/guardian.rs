//! The process between host and child, which outlives both.
//!
//! It is a copy of the host that never executes anything, and the only parent of the child: [`run`] is all of its life.
//!
//! # Theorem
//! When a guardian has reported the end, or has ended after its host, no process is left that its child has started, or
//! a descendant of it, by whatever way: if nobody killed the guardian itself, and every such process can be killed.
//!
//! *Proof.* The guardian is a subreaper: a process whose parent ends gets a new one, the closest ancestor that is a
//! subreaper and not ended, so every descendant of the guardian stays one until it is reaped, whatever group or session
//! it moves to. When the child has ended, or the host has, the guardian kills all of its own children again and again,
//! and reaps what ends, until the system says that it has none. A process without children has no descendants.
//!
//! It sends signals to its own children alone, and before it reaps them: no other process can have their numbers.

mod child;
mod tree;

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use self::tree::Tree;
use crate::plan::Plan;
use crate::report::{self, Failed, Report, Step};
use crate::{descriptors, memory, sys};

/// What `ps` shows.
const NAME: &CStr = c"hookrail-guard";

/// The life of a guardian, in the copy of the host that is to be one. All signals are blocked.
///
/// # Safety
/// This process is a copy by [`sys::copy`], and the plan's invariants hold.
pub(crate) unsafe fn run(plan: &mut Plan<'_>) -> ! {
    // SAFETY: by the contract.
    match unsafe { begin(plan) } {
        Ok(guardian) => guardian.watch(),
        Err((step, errno)) => {
            let _ = sys::send(plan.socket, &Report::Failed { step, errno }.encode());
            sys::exit(1)
        }
    }
}

struct Guardian {
    socket: c_int,
    /// Readable when the host has ended.
    host: c_int,
    /// Readable when a child has.
    ended: c_int,
    tree: Tree,
    /// The directory of its child's group, as the plan has it.
    group: *const c_char,
}

/// # Safety
/// As for [`run`].
unsafe fn begin(plan: &mut Plan<'_>) -> Result<Guardian, Failed> {
    let own = |errno| (Step::Guardian, errno);
    sys::reset_actions();
    sys::prctl(libc::PR_SET_NAME, NAME.as_ptr() as usize).map_err(own)?;
    // So that what kills the host's group does not kill it.
    sys::numbers(libc::SYS_setpgid, [0, 0]).map_err(own)?;
    let host = sys::numbers(libc::SYS_pidfd_open, [sys::fd(plan.host), 0]).map_err(own)? as c_int;
    if sys::parent() != plan.host {
        // It has ended already, and the descriptor may be of another process.
        return Err(own(libc::ESRCH));
    }
    sys::prctl(libc::PR_SET_CHILD_SUBREAPER, 1).map_err(own)?;
    let ended = sys::signals(libc::SIGCHLD).map_err(own)?;
    let children = tree::open_children().map_err(|errno| (Step::Children, errno))?;
    // SAFETY: the plan names none of what this code uses.
    unsafe { memory::unmap(plan.dispensable) };

    let (read, write) = sys::pipe().map_err(own)?;
    let guardian = sys::pid();
    // SAFETY: the copy only runs `child::run`, which never returns.
    let pid = unsafe { sys::copy(libc::SIGCHLD as usize, ptr::null_mut()) }.map_err(|errno| (Step::Copy, errno))?;
    if pid == 0 {
        // SAFETY: this is the copy; the plan's invariants hold in it as well.
        unsafe { child::run(plan, guardian, write) }
    }
    let mut tree = Tree::new(pid, children);
    // It needs no directory, and none is to be in use for it.
    // SAFETY: the path is a C string.
    let _ = unsafe { sys::call(libc::SYS_chdir, [c"/".as_ptr() as usize, 0, 0, 0, 0, 0]) };
    for (slot, own) in plan.kept.iter_mut().zip([plan.socket, host, ended, children, read]) {
        *slot = own;
    }
    descriptors::close_all_but(plan.kept);
    // The execution of the program closes its other end; else the child says what failed.
    let mut failed = [0; report::SIZE];
    let length = sys::read(read, &mut failed).unwrap_or(0);
    sys::close(read);
    if let Some(Report::Failed { step, errno }) = Report::decode(failed.get(..length).unwrap_or_default()) {
        tree.reap_child();
        return Err((step, errno));
    }
    let _ = sys::send(plan.socket, &Report::Started { pid }.encode());
    Ok(Guardian { socket: plan.socket, host, ended, tree, group: plan.group })
}

impl Guardian {
    fn watch(mut self) -> ! {
        let mut host_lives = self.is_acknowledged();
        while host_lives && self.tree.lives() {
            host_lives = self.wait();
        }
        let survivors = self.end(host_lives);
        let _ = sys::send(self.socket, &self.tree.report(survivors).encode());
        self.remove_group();
        sys::exit(0)
    }

    /// Waits until the host has a descriptor of the child, before which the child is not reaped: its number could be
    /// another's. Returns whether the host lives and wants the child.
    fn is_acknowledged(&self) -> bool {
        let mut ready = [polled(self.socket, libc::POLLIN), polled(self.host, libc::POLLIN)];
        while sys::poll(&mut ready, None).is_err() {}
        ready[0].revents & libc::POLLIN != 0 && sys::read(self.socket, &mut [0]) == Ok(1)
    }

    /// Waits until a child has ended, or the host, or its interest in this one. Returns whether there is any.
    fn wait(&self) -> bool {
        let mut ready = [polled(self.host, libc::POLLIN), polled(self.socket, 0), polled(self.ended, libc::POLLIN)];
        while sys::poll(&mut ready, None).is_err() {}
        self.clear();
        let [host, socket, _] = ready;
        host.revents == 0 && socket.revents == 0
    }

    /// Kills all that is left, and returns how many it could not kill. If the host is gone, it does not give up: as long
    /// as one is left, what the guardian holds is to be held.
    fn end(&mut self, mut host_lives: bool) -> u32 {
        let began = sys::milliseconds();
        while self.tree.has_any() {
            let left = self.tree.kill();
            if host_lives && sys::milliseconds().saturating_sub(began) > PATIENCE {
                return left;
            }
            let pause = if host_lives { 50 } else { 1000 };
            let mut ready =
                [polled(if host_lives { self.host } else { -1 }, libc::POLLIN), polled(self.ended, libc::POLLIN)];
            let _ = sys::poll(&mut ready, Some(pause));
            self.clear();
            host_lives = host_lives && ready[0].revents == 0;
        }
        0
    }

    /// Removes the child's group, if the host is gone. Else that wants to know which limits of it were reached.
    fn remove_group(&self) {
        let mut gone = [polled(self.host, libc::POLLIN)];
        if !self.group.is_null() && sys::poll(&mut gone, Some(0)) == Ok(1) {
            // SAFETY: by the plan's invariants it is a C string, in memory that is kept.
            let _ = unsafe { sys::remove_directory(self.group) };
        }
    }

    /// Forgets that children have ended, which is looked at next.
    fn clear(&self) {
        let mut signal = [0; size_of::<libc::signalfd_siginfo>()];
        let _ = sys::read(self.ended, &mut signal);
    }
}

/// For how long it kills what does not die, in milliseconds.
const PATIENCE: u64 = 5000;

const fn polled(fd: c_int, events: i16) -> libc::pollfd {
    libc::pollfd { fd, events, revents: 0 }
}
