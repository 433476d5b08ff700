//! What the host offers to plugins: its table, and services by id.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs::create_dir_all;
use std::path::PathBuf;
use std::ptr::{from_ref, null};
use std::sync::Arc;

use hookrail_abi::Text;
use hookrail_abi::boundary::{self, ABI_VERSION, ConfigService, DirsService, HostTable, LogService, Str};
use hookrail_abi::host::Dir;
use hookrail_dispatch::frame;
use hookrail_loader::PluginDiagnostics;
use hookrail_model::guarded;
use parking_lot::{Mutex, RwLock};

use crate::admission;

/// The table that every plugin gets. There is one per process: what belongs to one host travels in handles.
pub(crate) static TABLE: HostTable = HostTable {
    size: size_of::<HostTable>() as u32,
    abi: ABI_VERSION,
    report,
    register_callback: admission::register,
    current: frame::current,
    query,
};

/// The target of an instance's handle: all that services know of the instance.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) instance: Arc<str>,
    /// The current configuration, as JSON.
    pub(crate) config: Mutex<String>,
    /// The instance's own directory, with one subdirectory per kind of directory.
    pub(crate) home: PathBuf,
    pub(crate) speaker: Arc<PluginDiagnostics>,
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
    static LOG: LogService = LogService { size: size_of::<LogService>() as u32, write: log };
    static CONFIG: ConfigService = ConfigService { size: size_of::<ConfigService>() as u32, read: config };
    static DIRS: DirsService = DirsService { size: size_of::<DirsService>() as u32, path: dirs };
    // SAFETY: the plugin passes text that is readable for the call.
    match &*unsafe { id.to_text() } {
        "config/1" => from_ref(&CONFIG).cast(),
        "dirs/1" => from_ref(&DIRS).cast(),
        "log/1" => from_ref(&LOG).cast(),
        other => Services::find(other),
    }
}

/// Services that crates above offer to plugins; only their ids are known here.
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

    fn find(id: &str) -> *const c_void {
        OFFERED.read().get(id).map_or(null(), |offered| offered.0)
    }
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; `text` is readable for the call.
unsafe extern "C" fn log(handle: *const boundary::Handle, level: u32, text: Str) {
    // SAFETY: the handle is one of ours, kept while its library is there; the text holds for the call.
    let (handle, text) = unsafe { (&*handle.cast::<Handle>(), text.to_text()) };
    guarded((), || handle.speaker.line(&handle.instance, level, &text));
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses `out` during the call.
unsafe extern "C" fn config(handle: *const boundary::Handle, out: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    out.push_str(&handle.config.lock());
    0
}

/// # Safety
/// `handle` is that of an instance whose library is still loaded; nobody else uses `out` during the call.
unsafe extern "C" fn dirs(handle: *const boundary::Handle, kind: u32, out: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    let name = match kind {
        kind if kind == Dir::Data as u32 => "data",
        kind if kind == Dir::State as u32 => "state",
        kind if kind == Dir::Ephemeral as u32 => "ephemeral",
        other => {
            out.push_str(&format!("there is no directory of kind {other}"));
            return 1;
        }
    };
    let path = handle.home.join(name);
    match create_dir_all(&path) {
        Ok(()) => {
            out.push_str(&path.to_string_lossy());
            0
        }
        Err(error) => {
            out.push_str(&format!("cannot make the directory {}: {error}", path.display()));
            1
        }
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
        assert!(found("test/2").is_null() && !found("log/1").is_null());
    }
}
