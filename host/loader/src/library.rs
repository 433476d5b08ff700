//! One mapped file: the private copy, the checks before and after opening it, and the proof that it is unmapped.

mod close;
mod complete;
mod handlers;
mod table;

use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use hookrail_abi::boundary::{
    ABI_VERSION, ENTRY_SYMBOL, Entry, Heap, MemoryTable, MetricsTable, TraceTable, UnloadTable, flags,
};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

use hookrail_dispatch::frame;
use hookrail_image::{Inspection, SealedCopy, path_of, without_no_delete};
use hookrail_model::error::{Compiler, Error, Incompatible};
use hookrail_model::log;

pub use close::Closed;
pub use complete::{Functions, Incomplete, complete};
pub use table::Table;

use crate::diagnostics::PluginDiagnostics;
use crate::memory::Meter;
use crate::numbers::Numbers;
use crate::stray::Opened;
use crate::symbols::Symbols;
use crate::thread_teardown::{self, ThreadTeardown};

/// A plugin's library, mapped from a sealed private copy of its file.
///
/// # Invariants
/// The functions of `entry` are in the library that `handle` keeps open, and outside [`open`](Library::open) it is one
/// that the host knows. `copy` stays open as long as the library is mapped: the loader
/// identifies it by its path `/proc/thread-self/fd/N`, and would return the old library for another file with the same
/// descriptor number. The library knows `teardown`, if there is one, and may know `diagnostics`; neither is dropped before
/// the library is unmapped. `meter` is ended before the library is closed.
#[derive(Debug)]
pub struct Library {
    /// What was read from its file before it was opened.
    pub inspection: Inspection,
    /// Whether its no-delete flag was cleared in the copy.
    pub forced: bool,
    /// The file it was read from.
    pub file: PathBuf,
    entry: Result<Entry, Incomplete>,
    handle: Handle,
    copy: OwnedFd,
    opened: Opened,
    teardown: Option<Arc<ThreadTeardown>>,
    /// Its diagnostics.
    pub diagnostics: Arc<PluginDiagnostics>,
    /// The meter of its memory, if it counts that.
    pub meter: Option<Arc<Meter>>,
    /// The numbers that it counts itself, if there are some.
    pub numbers: Option<Arc<Numbers>>,
}

impl Library {
    /// Checks and opens a library of which `inspection` was read; if it is forced, its no-delete flag is cleared in the
    /// copy.
    ///
    /// # Safety
    /// Its constructors run, and later its other code does: it must be trusted as much as the host itself.
    ///
    /// # Errors
    /// If the file is not a plugin that this host can load, or the system refuses.
    pub unsafe fn open(copy: SealedCopy, inspection: Inspection, is_forced: bool) -> Result<Self, Error> {
        let file = copy.file().to_owned();
        // Mapped again only where the flag may have to be cleared: mapping holds up all threads of the process.
        let amended = if is_forced { without_no_delete(&copy.bytes()?) } else { None };
        let forced = amended.is_some();
        let copy = match amended {
            Some((at, value)) => copy.amended(at, value)?,
            None => copy,
        };
        let copy = copy.into_fd();
        let incompatible = |why| Error::incompatible(inspection.note.name.clone(), why);
        if inspection.note.panic != "unwind" {
            return Err(incompatible(Incompatible::PanicAborts));
        }
        let path = path_of(&copy);
        std::fs::metadata(&path).map_err(|source| {
            Error::system(format!("find the copy in memory of {} in /proc", file.display()), source)
        })?;
        thread_teardown::prepare_forks();
        // If the library's code ends the process, this is the last log line.
        log!(debug, plugin = inspection.note.name, "opening {}", file.display());
        let opened = Opened::now();
        // SAFETY: the caller trusts the library.
        let handle = unsafe { Handle::open(Some(&path), RTLD_NOW | RTLD_LOCAL) };
        let handle = handle.map_err(|error| {
            // The loader names the private copy; people know the file.
            let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            incompatible(Incompatible::Open(said.replace(&path, &file.display().to_string())))
        })?;
        // SAFETY: the symbol is only looked up.
        let symbol = match unsafe { handle.get::<*const Entry>(ENTRY_SYMBOL) } {
            Ok(symbol) => *symbol,
            Err(error) => {
                // The file exports it, so the loader and we read it differently: do not touch it again.
                let _ = (handle.into_raw(), copy.into_raw_fd());
                return Err(incompatible(Incompatible::not_a_plugin(error.to_string(), Compiler::Unknown)));
            }
        };
        // SAFETY: by its name the symbol is an entry, in the open library.
        let entry = unsafe { complete(symbol) };
        let diagnostics = PluginDiagnostics::new(&inspection.note.name);
        // INVARIANT: the functions of the entry are in the library, and the copy is kept beside it.
        let library = Library {
            inspection,
            forced,
            file,
            entry,
            handle,
            copy,
            opened,
            teardown: None,
            meter: None,
            numbers: None,
            diagnostics,
        };
        match library.check() {
            Ok(()) => Ok(library),
            Err(why) => {
                let plugin = library.inspection.note.name.clone();
                // Only its constructors have run.
                library.undo();
                Err(Error::incompatible(plugin, why))
            }
        }
    }

    /// The private copy, for callers that need it longer than the library.
    pub fn copy(&self) -> BorrowedFd<'_> {
        self.copy.as_fd()
    }

    /// The functions of the plugin.
    pub fn entry(&self) -> &Entry {
        self.entry.as_ref().expect("by the type invariant it was read")
    }

    /// Runs a call of its code. What this thread has left of it is not run meanwhile, even if what it logs makes the
    /// program dispatch.
    fn call<R>(&self, run: impl FnOnce() -> R) -> R {
        frame::call(self.diagnostics.identity(), None, run).0
    }

    /// Whether the host knows the entry's ABI. If not, nothing of it may be called.
    fn check_abi(&self) -> Result<(), Incompatible> {
        let entry = self.entry.map_err(|incomplete| incomplete.error("entry"))?;
        if entry.abi_min > ABI_VERSION || entry.abi_max < ABI_VERSION & 0xffff_0000 {
            let plugin = format!("{} to {}", version(entry.abi_min), version(entry.abi_max));
            return Err(Incompatible::abi(plugin, version(ABI_VERSION)));
        }
        Ok(())
    }

    /// Checks the entry against the note and against this process.
    fn check(&self) -> Result<(), Incompatible> {
        self.check_abi()?;
        let entry = self.entry();
        if self.inspection.note.abi != version(entry.abi_max) {
            return disagrees("the ABI version", self.inspection.note.abi.clone(), version(entry.abi_max));
        }
        if entry.flags & flags::PANIC_ABORTS != 0 {
            return disagrees("the panic strategy", self.inspection.note.panic.clone(), "abort".into());
        }
        let (theirs, ours) = (entry.heap, Heap::seen_here());
        let functions = [
            ("malloc", theirs.malloc, ours.malloc),
            ("calloc", theirs.calloc, ours.calloc),
            ("realloc", theirs.realloc, ours.realloc),
            ("free", theirs.free, ours.free),
            ("posix_memalign", theirs.posix_memalign, ours.posix_memalign),
        ];
        match functions.iter().find(|(_, theirs, ours)| theirs != ours) {
            Some((name, ..)) => Err(Incompatible::PrivateHeap((*name).into())),
            None => Ok(()),
        }
    }

    /// Binds the library to the host's services: after `attach`, and before anything else.
    ///
    /// # Errors
    /// If the image is not fresh, or the system refuses.
    pub fn bind(&mut self) -> Result<(), Error> {
        let tables = self.check_tables();
        // Even if they are not complete: it may already have left code with a thread.
        self.bind_teardown()?;
        tables.map_err(|why| Error::incompatible(&self.inspection.note.name, why))?;
        if let Some(table) = self.table::<TraceTable>() {
            // SAFETY: the table is the library's. `close` forgets it, and does not drop the diagnostics before
            // the library is gone.
            unsafe { self.diagnostics.bind(&table, Symbols::of(&self.copy)) };
        }
        Ok(())
    }

    /// Binds the library to a teardown, if it supports that.
    fn bind_teardown(&mut self) -> Result<(), Error> {
        let Some(table) = self.table::<UnloadTable>() else { return Ok(()) };
        let teardown = ThreadTeardown::new()
            .map_err(|source| Error::system("make a key for what threads leave behind", source))?;
        // SAFETY: the table lives as long as the process, and the teardown as long as the library.
        let started = self.call(|| unsafe { (table.bind)(teardown.as_library(), &thread_teardown::TABLE) });
        if started == u32::MAX {
            teardown.gone();
            let plugin = self.inspection.note.name.clone();
            return Err(Error::incompatible(plugin, Incompatible::NotFresh));
        }
        if started > 0 {
            self.inspection.unhooked.push("pthread_create, called by a constructor".into());
        }
        // INVARIANT: the library knows this one, since no other was bound before.
        self.teardown = Some(teardown);
        Ok(())
    }

    /// Starts reading the numbers that the library counts itself, if it has some.
    pub fn read_numbers(&mut self) {
        let plugin = &*self.inspection.note.name;
        // SAFETY: `close` ends them before it closes the library, and nobody else closes one that was attached to.
        let numbers = self.table::<MetricsTable>().and_then(|table| unsafe { Numbers::new(&table, plugin) });
        self.numbers = numbers.map(Arc::new);
    }

    /// Starts reading the library's memory counters, if it has them; `max` is its limit in bytes.
    pub fn meter(&mut self, max: Option<u64>) {
        // SAFETY: `close` ends the meter before it closes the library, and nobody else closes one that was
        // attached to.
        self.meter = self.table::<MemoryTable>().and_then(|table| unsafe { Meter::new(&table, max) }).map(Arc::new);
        if self.meter.is_none() && max.is_some() {
            let plugin = &*self.inspection.note.name;
            log!(
                warn,
                plugin,
                "its max_memory is of no effect: it does not count what it allocates; that takes `export!(.., allocator = std::alloc::System)`"
            );
        }
    }
}

fn version(abi: u32) -> String {
    format!("{}.{}", abi >> 16, abi & 0xffff)
}

fn disagrees(field: &str, note: String, code: String) -> Result<(), Incompatible> {
    Err(Incompatible::note_disagrees(field, note, code))
}
