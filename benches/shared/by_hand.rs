//! A hand-written host: the minimum that is needed before a plugin's callbacks can be called. It checks nothing, and
//! does not track what threads have left of the library.

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::ptr::{from_mut, null, null_mut};
use std::time::Duration;

use hookrail_abi::boundary::{
    ABI_VERSION, Context, ENTRY_SYMBOL, Entry, HostTable, Instance, RawCallback, Registrar, Registration, Str,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use rustix::fs::{SealFlags, fcntl_add_seals, fcntl_get_seals};
use rustix::io::Errno;

use super::load::{copy, path, timed};

static TABLE: HostTable =
    HostTable { size: size_of::<HostTable>() as u32, abi: ABI_VERSION, report, register_callback, current, query };

/// A started plugin, which is stopped and closed when this is dropped.
///
/// # Invariants
/// `entry` is in the library that created and started `instance`.
pub(crate) struct ByHand {
    library: ManuallyDrop<Library>,
    entry: *const Entry,
    instance: *mut Instance,
    callbacks: Vec<(RawCallback, *mut c_void)>,
    _copy: OwnedFd,
}

impl ByHand {
    /// Copies a plugin to memory and seals the copy, opens the copy, and creates and starts an instance. Returns how
    /// long each of these three took.
    pub(crate) fn start(file: &Path, config: &str) -> ([Duration; 3], Self) {
        let (copied, copy) = timed(|| {
            let copy = copy(file);
            // No other code has access to the copy, so the kernel releases its pages soon.
            while fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW) == Err(Errno::BUSY) {}
            assert!(fcntl_get_seals(&copy).expect("it can be sealed").contains(SealFlags::WRITE));
            copy
        });
        // SAFETY: our own plugin.
        let (opened, library) = timed(|| unsafe { Library::open(Some(path(&copy)), RTLD_NOW | RTLD_LOCAL) });
        let library = library.expect("it opens");
        let mut callbacks: Vec<(RawCallback, *mut c_void)> = Vec::new();
        let (created, (entry, instance)) = timed(|| {
            // SAFETY: what a plugin exports under that name, in a library that is kept beside it.
            let entry = *unsafe { library.get::<*const Entry>(ENTRY_SYMBOL) }.expect("it is a plugin");
            let mut instance = null_mut();
            // SAFETY: the order of calls is that of the boundary; the table lives as long as the
            // process, text holds for the call, and the registrar is what `register_callback` expects.
            unsafe {
                assert_eq!(((*entry).attach)(&TABLE), 0);
                assert_eq!(((*entry).create)(null(), Str::new("by-hand"), Str::new(config), &mut instance), 0);
                assert_eq!(((*entry).start)(instance, from_mut(&mut callbacks).cast()), 0);
            }
            (entry, instance)
        });
        let library = ManuallyDrop::new(library);
        // INVARIANT: just created.
        ([copied, opened, created], ByHand { library, entry, instance, callbacks, _copy: copy })
    }

    /// Calls its callbacks.
    ///
    /// # Safety
    /// `payload` is a payload of the points that they are on, exclusive for the call.
    pub(crate) unsafe fn call(&self, payload: *mut c_void) -> u32 {
        // SAFETY: they are registered and the instance is started; the payload is that of their points, and exclusive.
        unsafe { super::hosts::run_raw(&self.callbacks, payload) }
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        // SAFETY: by the type invariant the library made and started the instance; nobody calls its code any more, or
        // uses it again.
        let closed = unsafe {
            ((*self.entry).stop)(self.instance);
            ((*self.entry).destroy)(self.instance);
            ManuallyDrop::take(&mut self.library).close()
        };
        closed.expect("it closes");
        // A library that stayed would be found again under the descriptor number of the next copy, which would be fast.
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the system has it");
        assert!(!maps.contains("/memfd:copy"), "the library is gone");
    }
}

/// # Safety
/// `text` is readable for the call.
unsafe extern "C" fn report(_kind: u32, text: Str) {
    // SAFETY: the plugin passes text that is readable for the call.
    let text = unsafe { text.to_text() };
    eprintln!("the plugin says: {text}");
}

/// # Safety
/// `registrar` is what `start` was given, which nobody else uses during the call; `record` is readable for the call.
unsafe extern "C" fn register_callback(registrar: *mut Registrar, record: *const Registration) -> u32 {
    // SAFETY: `start` was given this vector; the record holds for the call.
    let (callbacks, record) = unsafe { (&mut *registrar.cast::<Vec<(RawCallback, *mut c_void)>>(), &*record) };
    let Some(run) = record.run else { return 1 };
    callbacks.push((run, record.ctx));
    0
}

/// # Safety
/// No preconditions: `unsafe` is part of the type in `HostTable`.
unsafe extern "C" fn current() -> *const Context {
    null()
}

/// # Safety
/// No preconditions: `unsafe` is part of the type in `HostTable`.
unsafe extern "C" fn query(_id: Str) -> *const c_void {
    null()
}
