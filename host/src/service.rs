//! What the host gives to plugins: its table, and services by id.

use std::ffi::c_void;
use std::fs::create_dir_all;
use std::path::PathBuf;
use std::ptr::{from_ref, null};
use std::sync::Arc;

use hookrail_abi::Text;
use hookrail_abi::boundary::{ABI_VERSION, ConfigService, DirsService, HostTable, LogService, Str};
use hookrail_abi::host::Dir;
use parking_lot::Mutex;

use crate::diagnostics::{self, Speaker};
use crate::{admission, context, said};

/// The table that every plugin gets. One for the process: what belongs to a host travels in handles.
pub(crate) static TABLE: HostTable = HostTable {
    size: size_of::<HostTable>() as u32,
    abi: ABI_VERSION,
    say,
    register_callback: admission::register,
    current: context::current,
    query,
};

/// What an instance's handle points to: all that services know of it.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) instance: Arc<str>,
    /// The configuration in force, as JSON.
    pub(crate) config: Mutex<String>,
    /// The instance's own folder; below it one per kind of directory.
    pub(crate) home: PathBuf,
    pub(crate) speaker: Arc<Speaker>,
}

unsafe extern "C" fn say(kind: u32, text: Str) {
    // SAFETY: the plugin passes text that is readable for the call.
    said::say(kind, &unsafe { text.to_text() });
}

unsafe extern "C" fn query(id: Str) -> *const c_void {
    static LOG: LogService = LogService { size: size_of::<LogService>() as u32, write: log };
    static CONFIG: ConfigService = ConfigService { size: size_of::<ConfigService>() as u32, read: config };
    static DIRS: DirsService = DirsService { size: size_of::<DirsService>() as u32, path: dirs };
    // SAFETY: the plugin passes text that is readable for the call.
    match &*unsafe { id.to_text() } {
        "config/1" => from_ref(&CONFIG).cast(),
        "dirs/1" => from_ref(&DIRS).cast(),
        "log/1" => from_ref(&LOG).cast(),
        _ => null(),
    }
}

unsafe extern "C" fn log(handle: *const c_void, level: u32, text: Str) {
    // SAFETY: the handle is one of ours, kept while its library is there; the text holds for the call.
    let (handle, text) = unsafe { (&*handle.cast::<Handle>(), text.to_text()) };
    diagnostics::guarded((), || handle.speaker.line(&handle.instance, level, &text));
}

unsafe extern "C" fn config(handle: *const c_void, out: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    out.push_str(&handle.config.lock());
    0
}

unsafe extern "C" fn dirs(handle: *const c_void, kind: u32, out: *mut Text) -> u32 {
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
