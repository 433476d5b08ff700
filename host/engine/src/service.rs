//! What the host offers to plugins: its table, and services by id.

mod builtin;
mod bus_spec;
mod config;
mod dispatch;
mod ephemeral;
mod guest;
mod kept;
mod registrations;
mod unit;
mod units;

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::{copy_nonoverlapping, from_ref, null};
use std::sync::Arc;

use hookrail_abi::Text;
use hookrail_abi::boundary::{self, ABI_VERSION, HostTable, Str, StreamIo};
use hookrail_dispatch::frame;
use hookrail_loader::PluginDiagnostics;
use parking_lot::{Mutex, RwLock};

pub use builtin::offer;
pub use bus_spec::BusWish;
pub use ephemeral::sweep_instance;
pub(crate) use ephemeral::{Ephemeral, sweep};
pub use guest::Guest;
pub use kept::Keepsake;
pub(crate) use kept::Kept;
pub(crate) use registrations::Registrations;
pub use registrations::Revocable;
pub(crate) use units::UnitsOf;

use crate::endpoints::{Attendant, Attending};
use crate::points::Points;
use crate::register::register;
use crate::writable::Writable;

/// How much services may keep for one life of an instance.
const MOST: usize = 256;

/// The table that every plugin gets. There is one per process: what belongs to one host travels in handles.
pub(crate) static TABLE: HostTable = HostTable {
    size: size_of::<HostTable>() as u32,
    abi: ABI_VERSION,
    report,
    register_callback: register,
    current: frame::current,
    query,
};

/// The target of an instance's handle: all that services know of the instance.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) instance: Arc<str>,
    /// The current configuration, as JSON.
    pub(crate) config: Arc<Mutex<String>>,
    /// What the instance writes its configuration with, since it was created last.
    pub(crate) writable: Mutex<Arc<dyn Writable>>,
    pub(crate) units: UnitsOf,
    /// The points that the instance dispatches, since it was created last.
    pub(crate) points: Mutex<Arc<dyn Points>>,
    /// The instance's own directory, with one subdirectory per kind of directory.
    pub(crate) home: PathBuf,
    pub(crate) ephemeral: Ephemeral,
    pub(crate) diagnostics: Arc<PluginDiagnostics>,
    /// What the instance has registered with services.
    pub(crate) registrations: Registrations,
    /// What services keep for the instance.
    pub(crate) kept: Mutex<Kept>,
    /// What runs the endpoints of its host.
    pub(crate) attending: Attending,
}

/// # Safety
/// `text` is readable for the call.
unsafe extern "C" fn report(kind: u32, text: Str) {
    // SAFETY: the plugin passes text that is readable for the call.
    frame::report(kind, &unsafe { text.to_text() });
}

/// # Safety
/// `id` is readable for the call.
unsafe extern "C" fn query(id: Str) -> *const c_void {
    // SAFETY: the plugin passes text that is readable for the call.
    Services::find(&unsafe { id.to_text() })
}

/// The tables that plugins find by id: those of the engine, of the crates above it, and of the embedding program. Only
/// their ids are known here.
#[derive(Debug)]
pub struct Services;

static OFFERED: RwLock<BTreeMap<&'static str, Offered>> = RwLock::new(BTreeMap::new());

struct Offered(*const c_void);

// SAFETY: `register` takes a table that is `'static` and `Sync`.
unsafe impl Send for Offered {}
// SAFETY: `register` takes a table that is `'static` and `Sync`.
unsafe impl Sync for Offered {}

impl Services {
    /// Offers a table under an id, `name/1`, to all plugins of this process from now on. The first table of an id
    /// stays.
    ///
    /// # Safety
    /// The table is the one that `docs/abi.md` describes for that id, and its functions may be called on any thread.
    pub unsafe fn register<T: Sync>(id: &'static str, table: &'static T) {
        OFFERED.write().entry(id).or_insert(Offered(from_ref(table).cast()));
    }

    /// The instance that called a function of a service, from the handle that it passed.
    ///
    /// # Safety
    /// `handle` is one that the host gave to an instance, and the library of that instance stays loaded for `'a`: it
    /// does for the duration of the call.
    pub unsafe fn caller<'a>(handle: *const boundary::Handle) -> Caller<'a> {
        // SAFETY: the handle is one of ours, kept while its library is there.
        Caller(unsafe { &*handle.cast::<Handle>() })
    }

    /// Answers a plugin that wants an end: writes its functions and its id, and returns 0; or says why it gets none, and
    /// returns 1.
    ///
    /// # Safety
    /// All of them are the caller's, for the call, and `io` has the size that it states.
    pub unsafe fn answer_open(
        opened: Result<(StreamIo, u64), String>,
        io: *mut StreamIo,
        id: *mut u64,
        why: *mut Text,
    ) -> u32 {
        match opened {
            Ok((table, opened)) => {
                // SAFETY: by the contract it begins with its size.
                let size = unsafe { io.cast::<u32>().read() } as usize;
                let length = size.min(size_of::<StreamIo>());
                // SAFETY: as many bytes are readable in ours and writable in the caller's, and they are two.
                unsafe {
                    copy_nonoverlapping((&raw const table).cast::<u8>(), io.cast(), length);
                    *id = opened;
                }
                0
            }
            Err(refused) => {
                // SAFETY: by the contract.
                unsafe { (*why).push_str(&refused) };
                1
            }
        }
    }

    fn find(id: &str) -> *const c_void {
        OFFERED.read().get(id).map_or(null(), |offered| offered.0)
    }
}

/// The instance that called a function of a service.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a>(&'a Handle);

impl Caller<'_> {
    /// The instance's name.
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// Begins what the instance registers, and keeps it until the instance unregisters it or is stopped. Returns its
    /// id, which is never 0, or `None` if the instance is being stopped: then `begin` was not called, and what the
    /// plugin gave is still its own.
    ///
    /// No registration of the instance can end while `begin` runs, so it must neither call the plugin nor wait.
    pub fn register<R: Revocable>(&self, begin: impl FnOnce() -> R) -> Option<u64> {
        self.0.registrations.add(|| Box::new(begin()))
    }

    /// What runs the endpoints of the instance's host, if there is something.
    pub fn attendant(&self) -> Option<Arc<dyn Attendant>> {
        self.0.attending.attendant()
    }

    /// Tells this generation of the instance from all others that there are, also of other hosts.
    pub fn generation(&self) -> usize {
        from_ref(self.0).addr()
    }

    /// Keeps what the plugin has addresses of, until it is [released](Self::release) or the library is gone: for longer
    /// than the registration with that id, which ends when the instance is stopped.
    pub fn keep(&self, id: u64, kept: Box<dyn Keepsake>) {
        self.0.kept.lock().add(id, kept);
    }

    /// Whether more may be kept.
    ///
    /// # Errors
    /// If the instance has as much as one may have.
    pub fn may_keep(&self) -> Result<(), String> {
        match self.0.kept.lock().count() {
            MOST.. => Err(format!("the instance has {MOST} points, publishers and subscriptions already")),
            _ => Ok(()),
        }
    }

    /// As [`release`](Self::release), for what is kept and is meant by `is_it`.
    fn release_if<T: 'static>(&self, is_it: impl Fn(&T) -> bool) -> bool {
        let id = self.0.kept.lock().find(is_it);
        id.is_some_and(|id| self.release(id))
    }

    /// Revokes what the instance registered under that id, and drops what is kept for it. Returns whether something was.
    pub fn release(&self, id: u64) -> bool {
        self.unregister(id);
        let kept = self.0.kept.lock().remove(id);
        kept.is_some()
    }

    /// Revokes what the instance registered under that id. Returns whether it was registered.
    pub fn unregister(&self, id: u64) -> bool {
        self.0.registrations.remove(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_was_registered_is_found_by_its_id() {
        static TABLE: u64 = 7;
        // SAFETY: no plugin asks for it here.
        unsafe { Services::register("test/1", &TABLE) };
        // SAFETY: text for the call.
        let found = |id| unsafe { query(Str::new(id)) };
        assert_eq!(found("test/1"), from_ref(&TABLE).cast());
        offer();
        assert!(found("test/2").is_null() && !found("log/1").is_null());
    }
}
