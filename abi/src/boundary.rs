//! The C-shaped structures that a host and a plugin exchange: ABI 1.0.
//!
//! The release of 1.0 freezes it: `docs/abi.md` says what may change. Everything else is looked up by a versioned
//! string id through the `query` function of either side.

#[cfg(test)]
macro_rules! check_layout {
    ($type:ident, $size:literal: $($field:ident $offset:literal),* $(,)?) => {
        assert_eq!(size_of::<$type>(), $size, stringify!($type));
        $(assert_eq!(std::mem::offset_of!($type, $field), $offset, concat!(stringify!($type), ".", stringify!($field)));)*
        // Fails to compile when a field is missing from the list.
        let _ = |it: $type| { let $type { $($field: _),* } = it; };
    };
}

mod bus;
mod config;
mod dispatch;
mod growing;
mod lifecycle;
mod memory;
mod metrics;
mod state;
mod stream;
mod trace;
mod unit;

use std::ffi::c_void;

pub use bus::*;
pub use config::{
    CONFIG_ANY_REVISION, CONFIG_BUSY, CONFIG_CHANGED, CONFIG_REFUSED, ConfigService, WritableConfigService,
};
pub use dispatch::*;
pub use growing::{Growing, TooSmall};
pub use lifecycle::{HEALTH_DEGRADED, LifecycleTable, READY_NOT_YET};
pub use memory::{MemoryShard, MemoryTable};
pub use metrics::{METRIC_COUNTER, METRIC_GAUGE, METRICS_MOST, Metric, MetricsTable};
pub use state::{SavedState, StateTable};
pub use stream::*;
pub use trace::{
    PARENT_CURRENT, PARENT_NONE, SITE_EVENT, SITE_SPAN, TraceLibrary, TracePanic, TraceService, TraceSite, TraceSiteId,
    TraceTable, TraceValue, VALUE_BOOL, VALUE_FLOAT, VALUE_INTEGER, VALUE_SHOWN, VALUE_TEXT, VALUE_UNSIGNED,
};
pub use unit::*;

use crate::PayloadOps;

/// The version of this boundary: major in the upper half, minor in the lower.
pub const ABI_VERSION: u32 = 1 << 16;

/// The oldest host ABI version that a plugin built with this crate works with.
pub const ABI_OLDEST: u32 = 1 << 16;

/// The name of the data symbol that every plugin exports: an [`Entry`].
pub const ENTRY_SYMBOL: &str = "hookrail_plugin_v1";

/// The name of the ELF section that carries a plugin's note.
pub const NOTE_SECTION: &str = ".note.hookrail";

/// Borrowed text: `len` bytes of UTF-8 at `ptr`, valid for the call it is passed to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Str {
    /// The first byte. Null, or any other value, when `len` is 0.
    pub ptr: *const u8,
    /// The length in bytes.
    pub len: usize,
}

impl Str {
    /// Borrows `text`.
    pub const fn new(text: &str) -> Self {
        Str { ptr: text.as_ptr(), len: text.len() }
    }

    /// The text; invalid UTF-8 is replaced.
    ///
    /// # Safety
    /// `len` is 0, or `ptr` is null, or `len` bytes at `ptr` are readable and do not change for `'a`.
    pub unsafe fn to_text<'a>(self) -> std::borrow::Cow<'a, str> {
        if self.len == 0 || self.ptr.is_null() {
            return "".into();
        }
        // SAFETY: neither is `len` 0 nor `ptr` null, so by the contract `len` bytes are readable there for `'a`.
        String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(self.ptr, self.len) })
    }
}

// These, and those of `trace/1`, are not `repr(C)`, so that `hookrail.h` declares them without a definition.

/// What a service of the host recognises an instance by. Only the host looks into it.
#[derive(Debug)]
pub struct Handle {
    _private: [u8; 0],
}

/// An instance. Only the plugin looks into it; in C, the plugin may define the structure.
#[derive(Debug)]
pub struct Instance {
    _private: [u8; 0],
}

/// What an instance registers its callbacks with while it is being started. Only the host looks into it.
#[derive(Debug)]
pub struct Registrar {
    _private: [u8; 0],
}

/// What the service `unload/1` recognises a library by. Only the host looks into it.
#[derive(Debug)]
pub struct UnloadLibrary {
    _private: [u8; 0],
}

/// The code of a callback: takes its context and the payload, and returns a verdict, for example
/// [`CONTINUE`](crate::verdict::raw::CONTINUE). May run on any thread, and on several at once.
pub type RawCallback = unsafe extern "C" fn(ctx: *mut c_void, payload: *mut c_void) -> u32;

/// What every plugin exports, under the name [`ENTRY_SYMBOL`].
///
/// Functions that return a `u32` return 0 on success; on failure they report an error first. The host calls `attach`
/// once, before anything else. It calls `create`, `start`, `stop` and `destroy` on one thread at a time, not always the
/// same one, and `query` on any thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The oldest host ABI version that this plugin works with.
    pub abi_min: u32,
    /// The newest ABI version that this plugin knows.
    pub abi_max: u32,
    /// 0, or [`PANIC_ABORTS`](flags::PANIC_ABORTS). C has no panics: 0.
    pub flags: u32,
    /// The heap as the plugin sees it.
    pub heap: Heap,
    /// Hands the host's table to the library, which may use it for as long as it is loaded. Called once, first.
    pub attach: unsafe extern "C" fn(host: *const HostTable) -> u32,
    /// Creates an instance from a configuration (JSON); `handle` identifies the instance to services. The instance
    /// pointer may be null: the host only passes it back. One thread at a time.
    pub create:
        unsafe extern "C" fn(handle: *const Handle, name: Str, config: Str, instance: *mut *mut Instance) -> u32,
    /// Starts an instance: it registers its callbacks through `registrar`. One thread at a time.
    pub start: unsafe extern "C" fn(instance: *mut Instance, registrar: *mut Registrar) -> u32,
    /// Stops a started instance, whose callbacks are no longer called. One thread at a time.
    pub stop: unsafe extern "C" fn(instance: *mut Instance) -> u32,
    /// Frees an instance that is not running. One thread at a time.
    pub destroy: unsafe extern "C" fn(instance: *mut Instance) -> u32,
    /// Returns a table of the plugin by versioned id, or null. Any thread, several at once.
    pub query: unsafe extern "C" fn(id: Str) -> *const c_void,
}

// SAFETY: an entry is never written after it is made; its pointers are addresses of functions, which no thread owns.
unsafe impl Sync for Entry {}
// SAFETY: its pointers are addresses of functions, which no thread owns.
unsafe impl Send for Entry {}

/// Bits of [`Entry::flags`].
pub mod flags {
    /// A panic in this library aborts the process.
    pub const PANIC_ABORTS: u32 = 1;
}

/// The addresses of the heap's functions. Both sides grow and free payloads, so both must use the same functions.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heap {
    /// `malloc`
    pub malloc: *const c_void,
    /// `calloc`
    pub calloc: *const c_void,
    /// `realloc`
    pub realloc: *const c_void,
    /// `free`
    pub free: *const c_void,
    /// `posix_memalign`
    pub posix_memalign: *const c_void,
}

impl Heap {
    /// The heap as this library sees it.
    pub const fn seen_here() -> Self {
        unsafe extern "C" {
            fn malloc(size: usize) -> *mut c_void;
            fn calloc(count: usize, size: usize) -> *mut c_void;
            fn realloc(ptr: *mut c_void, size: usize) -> *mut c_void;
            fn free(ptr: *mut c_void);
            fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> i32;
        }
        Heap {
            malloc: malloc as *const c_void,
            calloc: calloc as *const c_void,
            realloc: realloc as *const c_void,
            free: free as *const c_void,
            posix_memalign: posix_memalign as *const c_void,
        }
    }
}

/// The table that a host gives to every plugin. A newer host's table may be longer, never shorter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HostTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The ABI version of the host.
    pub abi: u32,
    /// Reports a text to the host from within a call by the host; `kind` is a [`Report`](crate::host::Report).
    pub report: unsafe extern "C" fn(kind: u32, text: Str),
    /// Registers one callback, from within `start`. Returns 0 on success; on failure an error has been reported.
    pub register_callback: unsafe extern "C" fn(registrar: *mut Registrar, record: *const Registration) -> u32,
    /// The context of the current dispatch, or null outside a dispatch.
    pub current: unsafe extern "C" fn() -> *const Context,
    /// A service by versioned id, or null.
    pub query: unsafe extern "C" fn(id: Str) -> *const c_void,
}

/// One callback, as a plugin registers it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// Size of this structure in bytes.
    pub size: u32,
    /// [`HAS_PRIORITY`](registration::HAS_PRIORITY).
    pub flags: u32,
    /// The name of the point.
    pub point: Str,
    /// The revision of the point that the plugin was built for.
    pub revision: u32,
    /// The callback's place in its chain; valid only with [`HAS_PRIORITY`](registration::HAS_PRIORITY).
    pub priority: i32,
    /// The name of the callback, unique in its instance and point.
    pub callback: Str,
    /// How it is called: [`FORM_SYNCHRONOUS`](registration::FORM_SYNCHRONOUS).
    pub form: u32,
    /// What it touches: an [`Effects`](crate::Effects).
    pub effects: u32,
    /// What a fault of the callback means: [`ON_FAULT_AS_POINT`](registration::ON_FAULT_AS_POINT), which is 0,
    /// [`ON_FAULT_OPEN`](registration::ON_FAULT_OPEN), [`ON_FAULT_CLOSED`](registration::ON_FAULT_CLOSED) or
    /// [`ON_FAULT_ROLLBACK`](registration::ON_FAULT_ROLLBACK).
    pub fault: u32,
    /// Reserved; 0.
    pub reserved: u32,
    /// The time that a call may take, in nanoseconds; 0 for no limit.
    pub budget_ns: u64,
    /// Which payloads the callback wants; 0 for all of them.
    pub predicate: u64,
    /// The code. Runs on any thread, on several at once.
    pub run: Option<RawCallback>,
    /// Passed to the code with each payload.
    pub ctx: *mut c_void,
    /// Frees `ctx` once the callback can no longer be called; may be null.
    pub ctx_drop: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// The payload's fingerprint that the plugin was built with, low word first.
    pub fingerprint: [u64; 2],
    /// abi_stable's layout of the payload (`&'static TypeLayout`), used to explain a mismatch; may be null.
    pub layout: *const c_void,
    /// The payload's operations that the plugin was built with; may be null.
    pub ops: *const PayloadOps,
}

/// Constants of [`Registration`].
pub mod registration {
    /// `priority` is set. A registration without this flag is refused.
    pub const HAS_PRIORITY: u32 = 1;
    /// The callback returns its verdict.
    pub const FORM_SYNCHRONOUS: u32 = 0;
    /// Reserved for callbacks that return first and decide later. A host of ABI 1.0 refuses such a registration.
    pub const FORM_ASYNCHRONOUS: u32 = 1;
    /// A fault means what the point states.
    pub const ON_FAULT_AS_POINT: u32 = 0;
    /// On a fault the chain continues as if the callback were not there.
    pub const ON_FAULT_OPEN: u32 = 1;
    /// A fault denies.
    pub const ON_FAULT_CLOSED: u32 = 2;
    /// On a fault the payload is restored to what it was before the call, and the chain continues. A host that does not
    /// know this value uses what the point states.
    pub const ON_FAULT_ROLLBACK: u32 = 3;
}

/// The context of the current dispatch.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Reserved; 0.
    pub reserved: u32,
    /// The deadline of the dispatch, an instant of `CLOCK_MONOTONIC`; 0 for none.
    pub deadline_ns: u64,
    /// The trace that the dispatch belongs to (W3C trace id); all zeros for none.
    pub trace: [u8; 16],
    /// The principal on whose behalf the dispatch runs; may be empty.
    pub principal: Str,
    /// The node that the dispatch runs on; may be empty.
    pub node: Str,
}

/// Service `log/1`: writes to the host's log.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LogService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Writes one line; `level` is 1 error, 2 warn, 3 info, 4 debug or 5 trace.
    pub write: unsafe extern "C" fn(handle: *const Handle, level: u32, text: Str),
}

/// Service `dirs/1`: the directories of the instance.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DirsService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Creates a directory if needed and appends its path to `out`; `kind` is a [`Dir`](crate::host::Dir). Returns 0 on
    /// success; on failure an error has been reported.
    pub path: unsafe extern "C" fn(handle: *const Handle, kind: u32, out: *mut crate::Text) -> u32,
}

/// Destroys a thread's object when the thread exits.
pub type ObjectDestructor = unsafe extern "C" fn(object: *mut c_void);

/// Destroys a thread's value of a key when the thread exits; may be null.
pub type KeyDestructor = Option<unsafe extern "C" fn(value: *mut c_void)>;

/// The function that a new thread runs.
pub type ThreadBody = unsafe extern "C" fn(argument: *mut c_void) -> *mut c_void;

/// The host's replacements for the system functions through which a library leaves its own code with threads: the host
/// records each such use, and closes the library only when none is left.
///
/// Each function does what the system function does, and returns what that returns; `library` is the value that the
/// `bind` function of the library's [`UnloadTable`] was called with. Any thread, several at once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UnloadService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// `__cxa_thread_atexit_impl`
    pub at_thread_exit:
        unsafe extern "C" fn(library: *const UnloadLibrary, run: ObjectDestructor, object: *mut c_void) -> i32,
    /// `pthread_key_create`
    pub key_create:
        unsafe extern "C" fn(library: *const UnloadLibrary, key: *mut u32, destructor: KeyDestructor) -> i32,
    /// `pthread_key_delete`
    pub key_delete: unsafe extern "C" fn(library: *const UnloadLibrary, key: u32) -> i32,
    /// `pthread_setspecific`
    pub set_specific: unsafe extern "C" fn(library: *const UnloadLibrary, key: u32, value: *const c_void) -> i32,
    /// `pthread_create`; `thread` is a `pthread_t *`, `attributes` a `const pthread_attr_t *`.
    pub thread_create: unsafe extern "C" fn(
        library: *const UnloadLibrary,
        thread: *mut c_void,
        attributes: *const c_void,
        body: ThreadBody,
        argument: *mut c_void,
    ) -> i32,
    /// Asks the host never to close the library, for the given reason.
    pub keep: unsafe extern "C" fn(library: *const UnloadLibrary, reason: Str),
}

/// A plugin's table `unload/1`: through it the host learns what code of the library threads would still run.
///
/// A library that has this table links none of the functions of [`UnloadService`] to those of the system.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UnloadTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Called once, after `attach` and before anything else. Returns how many threads the library's constructors
    /// started, which the host cannot know; `UINT32_MAX` if `bind` was called before, which means that this is not a
    /// fresh image of the library.
    pub bind: unsafe extern "C" fn(library: *const UnloadLibrary, service: *const UnloadService) -> u32,
    /// Leaves a thread-local destructor and a value of a key with the calling thread, so that the host can verify that
    /// it records both.
    pub probe: unsafe extern "C" fn(),
}

/// A plugin's table `keys/1`: what threads may still run of it after it has ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeysTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// How many pthread keys with a destructor, and how many threads, the system created for the library without the
    /// host.
    pub count: unsafe extern "C" fn() -> u32,
}

/// A plugin's table `schema/1`: the JSON Schema of its configuration.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SchemaTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Appends the JSON Schema of the configuration to `out`. Returns 0 on success.
    pub write: unsafe extern "C" fn(out: *mut crate::Text) -> u32,
}

/// A plugin's table `reload/1`: accepts a new configuration while the plugin runs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ReloadTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Applies a configuration (JSON). Returns 0 on success; on failure an error has been reported and the old
    /// configuration stays.
    pub reload: unsafe extern "C" fn(instance: *mut Instance, config: Str) -> u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_abi_1_0() {
        check_layout!(Str, 16: ptr 0, len 8);
        check_layout!(Heap, 40: malloc 0, calloc 8, realloc 16, free 24, posix_memalign 32);
        check_layout!(Entry, 104: size 0, abi_min 4, abi_max 8, flags 12, heap 16, attach 56, create 64, start 72,
            stop 80, destroy 88, query 96);
        check_layout!(HostTable, 40: size 0, abi 4, report 8, register_callback 16, current 24, query 32);
        check_layout!(Registration, 136: size 0, flags 4, point 8, revision 24, priority 28, callback 32, form 48,
            effects 52, fault 56, reserved 60, budget_ns 64, predicate 72, run 80, ctx 88, ctx_drop 96,
            fingerprint 104, layout 120, ops 128);
        check_layout!(PayloadOps, 80: size 0, version 4, payload_size 8, align 16, clone 24, assign 32, drop 40, encode 48,
            decode 56, redact 64, encode_into 72);
        check_layout!(Context, 64: size 0, reserved 4, deadline_ns 8, trace 16, principal 32, node 48);
    }

    #[test]
    fn tables_of_services_are_those_of_their_first_version() {
        check_layout!(ConfigService, 16: size 0, read 8);
        check_layout!(DirsService, 16: size 0, path 8);
        check_layout!(LifecycleTable, 48: size 0, ready 8, health 16, halt 24, resume 32, drain 40);
        check_layout!(LogService, 16: size 0, write 8);
        check_layout!(ReloadTable, 16: size 0, reload 8);
        check_layout!(SavedState, 56: size 0, version 4, schema 8, bytes 32);
        check_layout!(SchemaTable, 16: size 0, write 8);
        check_layout!(StateTable, 40: size 0, save 8, save_changes 16, restore 24, apply_changes 32);
        check_layout!(UnloadService, 56: size 0, at_thread_exit 8, key_create 16, key_delete 24, set_specific 32,
            thread_create 40, keep 48);
        check_layout!(UnloadTable, 24: size 0, bind 8, probe 16);
        check_layout!(WritableConfigService, 32: size 0, read 8, stored 16, write 24);
    }
}
