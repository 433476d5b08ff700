//! Closing a library: only when no thread can run its code any more, and with the proof that it is unmapped.

use std::fs::File;
use std::os::fd::{AsFd, IntoRawFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{KeysTable, UnloadTable};
use hookrail_model::end::End;
use hookrail_model::log;
use hookrail_model::memory::Memory;

use super::{Library, handlers};
use crate::mapped;
use crate::stray;
use crate::thread_teardown::{Left, ThreadTeardown};

/// How the closing of a library ended.
#[derive(Debug)]
pub struct Closed {
    /// Whether it is unmapped, and how that is known.
    pub end: End,
    /// How many destructors were never run, since their threads did not reach a quiescent point.
    pub skipped: usize,
    /// The memory that it still held, if it counts that; it is lost.
    pub unfreed_memory: Option<Memory>,
}

impl Closed {
    /// Logs what is lost, if anything is.
    pub fn tell_losses(&self, plugin: &str) {
        if let Some(Memory { bytes, allocations, .. }) = self.unfreed_memory.filter(|memory| memory.allocations > 0) {
            log!(info, plugin, bytes, allocations, "its statics, and what it leaked, still hold memory");
        }
        if self.skipped > 0 {
            log!(
                warn,
                plugin,
                "{} destructor(s) of threads that reached no quiescent point were never run",
                self.skipped
            );
        }
    }
}

impl Library {
    /// From now on each thread runs the destructors that it has left of the library, at its next quiescent point. The
    /// callbacks must not be called any more.
    pub fn leave(&self) {
        self.diagnostics.leave();
        if let Some(teardown) = &self.teardown {
            teardown.leave();
        }
    }

    /// Closes the library, unless its code could run afterwards, and verifies whether the system has unmapped it.
    /// Nothing of the plugin may be in use any more.
    ///
    /// Waits for what threads have left of it. After `deadline`, it periodically calls `keep_waiting` with what it is
    /// waiting for. If that returns false, it stops waiting and the library stays.
    pub fn close(self, deadline: Instant, keep_waiting: impl FnMut(End) -> bool) -> Closed {
        // First of all: a thread may be in it until now, and leave something with itself.
        self.diagnostics.close();
        let mut skipped = 0;
        let settled = self.settle(deadline, keep_waiting, &mut skipped);
        // After the last of its code has run, and before it may be unmapped.
        self.numbers.iter().for_each(|numbers| numbers.end());
        let unfreed_memory = self.meter.as_ref().map(|meter| meter.end());
        let end = match settled {
            Ok(()) => self.remove(),
            Err(end) => {
                self.keep();
                end
            }
        };
        Closed { end, skipped, unfreed_memory }
    }

    /// Leaves the library mapped forever.
    ///
    /// INVARIANT: the descriptor number of the copy stays taken, and the teardown stays.
    fn keep(self) {
        let _ = (self.handle.into_raw(), self.copy.into_raw_fd());
        // INVARIANT: and so do the diagnostics.
        std::mem::forget(self.diagnostics);
        if let Some(teardown) = self.teardown {
            teardown.stay();
        }
    }

    /// Closes a library of which only constructors have run, unless those may have left code behind.
    pub(super) fn undo(self) {
        self.diagnostics.close();
        let may_have_left = match self.check_abi() {
            Ok(()) => self.made_unbound() > 0,
            // It cannot be asked.
            Err(_) => self.inspection.finds_by_name,
        };
        let is_settled = self.handlers().is_empty() && self.stray_threads() == 0;
        if self.inspection.unhooked.is_empty() && !may_have_left && is_settled {
            self.remove();
        } else {
            self.keep();
        }
    }

    /// The signals whose handlers are in the library.
    fn handlers(&self) -> Vec<i32> {
        handlers::within(&mapped::segments(self.copy.as_fd()))
    }

    /// Closes the library at once, and verifies whether it is unmapped. Everything has settled.
    fn remove(self) -> End {
        let copy = File::from(self.copy);
        if let Some(teardown) = &self.teardown {
            teardown.discard();
        }
        let closed = self.handle.close();
        if closed.is_err() || !mapped::segments(copy.as_fd()).is_empty() {
            // INVARIANT: the descriptor number of the copy stays taken while the library is mapped, and the teardown
            // stays.
            let _ = copy.into_raw_fd();
            // INVARIANT: and so do the diagnostics.
            std::mem::forget(self.diagnostics);
            if let Some(teardown) = self.teardown {
                teardown.stay();
            }
            let stays = self.inspection.no_delete && !self.forced || self.inspection.unique_symbols;
            return match (stays, self.inspection.keeps_thread_locals) {
                (true, _) => End::NoDelete,
                (false, true) => End::PinnedByThreadLocals(1),
                // Its thread-locals have been taken down, so only it can hold itself.
                (false, false) => End::PinnedByHandles,
            };
        }
        if let Some(teardown) = self.teardown {
            teardown.gone();
        }
        self.diagnostics.gone();
        match mapped::mappings(&copy) {
            Some(0) => End::Unmapped,
            Some(count) => End::FileMappings(count),
            None => End::FileMappings(0),
        }
    }

    /// Makes threads run what they have left of the library, and finds out whether anything else can still call into
    /// it. If nothing can, its teardown is closed.
    fn settle(
        &self,
        mut deadline: Instant,
        mut keep_waiting: impl FnMut(End) -> bool,
        skipped: &mut usize,
    ) -> Result<(), End> {
        const PAUSE: Duration = Duration::from_millis(100);
        const LOOK: Duration = Duration::from_millis(2);
        if let Some(name) = self.inspection.unhooked.first() {
            return Err(End::Unhooked(name.clone()));
        }
        if let Some(teardown) = &self.teardown {
            is_kept(teardown)?;
            self.probe();
            if let Some(symbol) = teardown.unseen() {
                return Err(End::Unhooked(symbol.into()));
            }
        }
        loop {
            if let Some(teardown) = &self.teardown {
                while let Err(left) = teardown.settle(deadline, skipped) {
                    let end = match left {
                        Left::Running(count) => End::PinnedByThreadLocals(count),
                        Left::Threads(count) => End::PinnedByThreads(count),
                    };
                    if !keep_waiting(end.clone()) {
                        return Err(end);
                    }
                    deadline = Instant::now() + PAUSE;
                }
                // One of its last threads may have asked for it.
                is_kept(teardown)?;
            }
            match self.stray_threads() {
                // Unless a thread has left something meanwhile.
                0 if self.teardown.as_ref().is_none_or(|teardown| teardown.close()) => break,
                0 => {}
                _ if Instant::now() < deadline => sleep(LOOK),
                threads if keep_waiting(End::PinnedByThreads(threads)) => deadline = Instant::now() + PAUSE,
                threads => return Err(End::PinnedByThreads(threads)),
            }
        }
        match self.made_unbound() {
            0 => {}
            keys => return Err(End::PinnedByThreadLocals(keys)),
        }
        let signals = self.handlers();
        if signals.is_empty() { Ok(()) } else { Err(End::PinnedByHandlers(signals)) }
    }

    /// How many threads run its code that it has started behind the host's back.
    fn stray_threads(&self) -> usize {
        stray::count(&mapped::code(self.copy.as_fd()), self.opened)
    }

    /// Leaves a destructor and a key's value of this thread with the teardown.
    fn probe(&self) {
        if let Some(table) = self.table::<UnloadTable>() {
            // SAFETY: the library was bound, which is all that `probe` needs.
            self.call(|| unsafe { (table.probe)() });
        }
    }

    /// How many pthread keys whose destructors are the library's own code, and how many threads, the system created
    /// before the library was bound.
    fn made_unbound(&self) -> usize {
        // SAFETY: the function takes nothing, and the library is loaded.
        self.table::<KeysTable>().map_or(0, |table| self.call(|| unsafe { (table.count)() }) as usize)
    }
}

fn is_kept(teardown: &ThreadTeardown) -> Result<(), End> {
    teardown.kept().map_or(Ok(()), |reason| Err(End::Vetoed(reason)))
}
