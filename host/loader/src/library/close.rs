//! Closing a library: only when nobody can run its code any more, and with the proof that it is gone.

use std::fs::File;
use std::os::fd::{AsFd, IntoRawFd};
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{KeysTable, UnloadTable};
use hookrail_model::end::End;
use hookrail_model::log;
use hookrail_model::memory::Memory;

use super::{Library, handlers};
use crate::mapped;
use crate::thread_teardown::Left;

/// What became of a library.
#[derive(Debug)]
pub struct Closed {
    /// Whether it is out of the process, and how that is known.
    pub end: End,
    /// How many destructors were never run, since their threads did not come by.
    pub skipped: usize,
    /// What it held in the end, if it counts that: it is lost.
    pub left: Option<Memory>,
}

impl Closed {
    /// Logs what is lost, if anything is.
    pub fn tell_losses(&self, plugin: &str) {
        if let Some(Memory { bytes, allocations }) = self.left.filter(|left| left.allocations > 0) {
            log!(info, plugin, bytes, allocations, "its statics, and what it leaked, hold memory to the end");
        }
        if self.skipped > 0 {
            log!(warn, plugin, "{} destructor(s) of threads that did not come by were never run", self.skipped);
        }
    }
}

impl Library {
    /// From now on each thread runs what it has left of the library where it is in no callback.
    /// Nobody may call the callbacks any more.
    pub fn leave(&self) {
        self.speaker.leave();
        if let Some(teardown) = &self.teardown {
            teardown.leave();
        }
    }

    /// Closes the library, unless code of it could run afterwards, and finds out whether the system
    /// really removed it. Nothing of the plugin is in use any more.
    ///
    /// Waits for whatever threads have left of it. When that takes longer than until `deadline`,
    /// `is_patient` is told what is waited for, every now and then, and says whether to go on;
    /// otherwise the library stays.
    pub fn close(self, deadline: Instant, is_patient: impl FnMut(End) -> bool) -> Closed {
        let mut skipped = 0;
        let settled = self.settle(deadline, is_patient, &mut skipped);
        // After all that runs of it, and before it may be gone.
        let left = self.meter.as_ref().map(|meter| meter.end());
        let end = match settled {
            Ok(()) => self.remove(),
            Err(end) => {
                self.keep();
                end
            }
        };
        Closed { end, skipped, left }
    }

    /// Leaves the library mapped for ever.
    ///
    /// INVARIANT: the number of the copy stays taken, and the teardown stays.
    fn keep(self) {
        let _ = (self.handle.into_raw(), self.copy.into_raw_fd());
        // INVARIANT: and so does the speaker.
        std::mem::forget(self.speaker);
        if let Some(teardown) = self.teardown {
            teardown.stay();
        }
    }

    /// Closes a library of which nothing has run but constructors, unless those may have left code.
    pub(super) fn undo(self) {
        let may_have_left = match self.check_abi() {
            Ok(()) => self.made_unbound() > 0,
            // It cannot be asked.
            Err(_) => self.inspection.finds_by_name,
        };
        if self.inspection.unhooked.is_empty() && !may_have_left && self.handlers().is_empty() {
            self.remove();
        } else {
            self.keep();
        }
    }

    /// The signals whose handlers lie in the library.
    fn handlers(&self) -> Vec<i32> {
        handlers::within(&mapped::segments(self.copy.as_fd()))
    }

    /// Closes the library at once, and looks whether it is gone. All of it has settled.
    fn remove(self) -> End {
        let copy = File::from(self.copy);
        if let Some(teardown) = &self.teardown {
            teardown.close();
        }
        self.speaker.close();
        let closed = self.handle.close();
        if closed.is_err() || !mapped::segments(copy.as_fd()).is_empty() {
            // INVARIANT: the number of the copy stays taken while the library is mapped, and the
            // teardown stays.
            let _ = copy.into_raw_fd();
            // INVARIANT: and so does the speaker.
            std::mem::forget(self.speaker);
            if let Some(teardown) = self.teardown {
                teardown.stay();
            }
            let stays = self.inspection.no_delete && !self.forced || self.inspection.unique_symbols;
            return if stays { End::NoDelete } else { End::PinnedByThreadLocals(1) };
        }
        if let Some(teardown) = self.teardown {
            teardown.gone();
        }
        self.speaker.gone();
        match mapped::mappings(&copy) {
            Some(0) => End::Unmapped,
            Some(count) => End::FileMappings(count),
            None => End::FileMappings(0),
        }
    }

    /// Has threads run whatever they have left of the library, and finds out whether any other way
    /// leads into it.
    fn settle(
        &self,
        mut deadline: Instant,
        mut is_patient: impl FnMut(End) -> bool,
        skipped: &mut usize,
    ) -> Result<(), End> {
        const PAUSE: Duration = Duration::from_millis(100);
        if let Some(name) = self.inspection.unhooked.first() {
            return Err(End::Unhooked(name.clone()));
        }
        if let Some(teardown) = &self.teardown {
            let is_kept = || teardown.kept().map_or(Ok(()), |reason| Err(End::Vetoed(reason)));
            is_kept()?;
            self.probe();
            if let Some(symbol) = teardown.unseen() {
                return Err(End::Unhooked(symbol.into()));
            }
            while let Err(left) = teardown.settle(deadline, skipped) {
                let end = match left {
                    Left::Running(count) => End::PinnedByThreadLocals(count),
                    Left::Threads(count) => End::PinnedByThreads(count),
                };
                if !is_patient(end.clone()) {
                    return Err(end);
                }
                deadline = Instant::now() + PAUSE;
            }
            // The last of its threads may have asked for it.
            is_kept()?;
        }
        match self.made_unbound() {
            0 => {}
            keys => return Err(End::PinnedByThreadLocals(keys)),
        }
        let signals = self.handlers();
        if signals.is_empty() { Ok(()) } else { Err(End::PinnedByHandlers(signals)) }
    }

    /// Has this thread leave something with the teardown.
    fn probe(&self) {
        if let Some(table) = self.table::<UnloadTable>() {
            // SAFETY: the library was bound, which is all that `probe` needs.
            unsafe { (table.probe)() };
        }
    }

    /// How many pthread keys the system has made, whose destructors are the library's own code, and
    /// how many threads, before the library was bound.
    fn made_unbound(&self) -> usize {
        // SAFETY: the function takes nothing, and the library is loaded.
        self.table::<KeysTable>().map_or(0, |table| unsafe { (table.count)() } as usize)
    }
}
