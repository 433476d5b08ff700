//! What a plugin reports about itself while it runs: events, spans, log lines, panics.

use std::ffi::c_void;

use super::Str;

/// The `kind` of a site that makes events.
pub const SITE_EVENT: u32 = 1;
/// The `kind` of a site that makes spans.
pub const SITE_SPAN: u32 = 2;

/// The parent is the thread's current span.
pub const PARENT_CURRENT: u64 = 0;
/// There is no parent. Span numbers start at 2.
pub const PARENT_NONE: u64 = 1;

/// `number` is 0 or 1.
pub const VALUE_BOOL: u32 = 1;
/// `number` holds the bits of an `int64_t`.
pub const VALUE_INTEGER: u32 = 2;
/// `number` is the value.
pub const VALUE_UNSIGNED: u32 = 3;
/// `number` holds the bits of a `double`.
pub const VALUE_FLOAT: u32 = 4;
/// `text` is the value.
pub const VALUE_TEXT: u32 = 5;
/// `text` is the value formatted for display; its type has no other form here.
pub const VALUE_SHOWN: u32 = 6;

// Neither is `repr(C)`, so that `hookrail.h` declares them without a definition.

/// What the service `trace/1` recognises a library by. Only the host looks into it.
#[derive(Debug)]
pub struct TraceLibrary {
    _private: [u8; 0],
}

/// What the service `trace/1` recognises a site by. Only the plugin looks into it; in C, the plugin may define the
/// structure.
#[derive(Debug)]
pub struct TraceSiteId {
    _private: [u8; 0],
}

/// A place in a library's source that makes events or spans.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceSite {
    /// Size of this structure in bytes.
    pub size: u32,
    /// [`SITE_EVENT`] or [`SITE_SPAN`].
    pub kind: u32,
    /// As in [`Level`](crate::host::Level).
    pub level: u32,
    /// The line, starting at 1; 0 if unknown.
    pub line: u32,
    /// Identifies the site among the library's sites for as long as the library is loaded. Null for a site that is
    /// described with each use.
    pub id: *const TraceSiteId,
    /// The name of the site.
    pub name: Str,
    /// The part of the program that the site belongs to; filters match on it.
    pub target: Str,
    /// The module; may be empty.
    pub module: Str,
    /// The source file; may be empty.
    pub file: Str,
    /// The names of the fields.
    pub fields: *const Str,
    /// The number of fields.
    pub field_count: usize,
}

/// The value of one field.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceValue {
    /// The index of the field in the site's fields, starting at 0.
    pub field: u32,
    /// [`VALUE_BOOL`], [`VALUE_INTEGER`], [`VALUE_UNSIGNED`], [`VALUE_FLOAT`], [`VALUE_TEXT`] or
    /// [`VALUE_SHOWN`].
    pub kind: u32,
    /// The value, for the numeric kinds.
    pub number: u64,
    /// The value, for the text kinds.
    pub text: Str,
}

/// A panic.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TracePanic {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The line; 0 if unknown.
    pub line: u32,
    /// The column; 0 if unknown.
    pub column: u32,
    /// Reserved; 0.
    pub reserved: u32,
    /// The panic message.
    pub message: Str,
    /// The source file; may be empty.
    pub file: Str,
    /// The return addresses on the stack at the panic, innermost first.
    pub frames: *const *const c_void,
    /// The number of addresses.
    pub frame_count: usize,
}

/// Service `trace/1`: passes what a plugin reports about itself to the host's `tracing` subscriber, tagged with the
/// instance and the generation.
///
/// `library` is the value that the `bind` function of the library's [`TraceTable`] was called with; a site is
/// identified by its `id` once it has been described. Spans that are not open are ignored. The host copies its
/// arguments and keeps none of them. Any thread, several at once; functions about a thread (entering and leaving spans,
/// panics) refer to the calling thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Describes a site to the host. Describing it again changes nothing.
    pub describe: unsafe extern "C" fn(library: *const TraceLibrary, site: *const TraceSite),
    /// Whether the host wants events or spans of a site: 1 or 0; 1 for a site not described yet.
    pub enabled: unsafe extern "C" fn(library: *const TraceLibrary, site: *const TraceSiteId) -> u32,
    /// Reports an event. `parent` is a span, [`PARENT_CURRENT`] or [`PARENT_NONE`]. Returns 1 and reports nothing if
    /// the site has not been described.
    pub event: unsafe extern "C" fn(
        library: *const TraceLibrary,
        site: *const TraceSiteId,
        parent: u64,
        values: *const TraceValue,
        value_count: usize,
    ) -> u32,
    /// Reports a log line, from a site that has no fields and need not have been described.
    pub log: unsafe extern "C" fn(library: *const TraceLibrary, site: *const TraceSite, text: Str),
    /// Opens a span and returns its number; returns 0 and opens none if the site has not been described.
    pub span_open: unsafe extern "C" fn(
        library: *const TraceLibrary,
        site: *const TraceSiteId,
        parent: u64,
        values: *const TraceValue,
        value_count: usize,
    ) -> u64,
    /// Adds values to a span.
    pub span_record:
        unsafe extern "C" fn(library: *const TraceLibrary, span: u64, values: *const TraceValue, value_count: usize),
    /// Records that a span follows from another one.
    pub span_follows: unsafe extern "C" fn(library: *const TraceLibrary, span: u64, from: u64),
    /// The calling thread enters a span.
    pub span_enter: unsafe extern "C" fn(library: *const TraceLibrary, span: u64),
    /// The calling thread leaves a span.
    pub span_exit: unsafe extern "C" fn(library: *const TraceLibrary, span: u64),
    /// Adds a reference to the span.
    pub span_clone: unsafe extern "C" fn(library: *const TraceLibrary, span: u64),
    /// Drops a reference to the span. Returns 1 if it was the last, which closes the span, else 0.
    pub span_drop: unsafe extern "C" fn(library: *const TraceLibrary, span: u64) -> u32,
    /// The innermost span of this library that the calling thread is in, and the `id` of its site; 0 for none.
    pub span_current: unsafe extern "C" fn(library: *const TraceLibrary, site: *mut *const TraceSiteId) -> u64,
    /// The calling thread panics.
    pub panicked: unsafe extern "C" fn(library: *const TraceLibrary, panic: *const TracePanic),
    /// The calling thread's last panic, or one with that message, ended the host's call: it is the reason for the fault
    /// or failure that is returned next.
    pub caught: unsafe extern "C" fn(library: *const TraceLibrary, message: Str),
}

/// A plugin's table `trace/1`: through it the host receives what the plugin reports about itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Called once, after `attach` and before `create`. What is reported before is lost.
    pub bind: unsafe extern "C" fn(library: *const TraceLibrary, service: *const TraceService),
    /// Sets how much is reported from now on: a [`Level`](crate::host::Level), or 0 for nothing. Any thread, one at a
    /// time.
    pub set_level: unsafe extern "C" fn(level: u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_first_version() {
        check_layout!(TracePanic, 64: size 0, line 4, column 8, reserved 12, message 16, file 32, frames 48,
            frame_count 56);
        check_layout!(TraceService, 120: size 0, describe 8, enabled 16, event 24, log 32, span_open 40,
            span_record 48, span_follows 56, span_enter 64, span_exit 72, span_clone 80, span_drop 88,
            span_current 96, panicked 104, caught 112);
        check_layout!(TraceSite, 104: size 0, kind 4, level 8, line 12, id 16, name 24, target 40, module 56, file 72,
            fields 88, field_count 96);
        check_layout!(TraceTable, 24: size 0, bind 8, set_level 16);
        check_layout!(TraceValue, 32: field 0, kind 4, number 8, text 16);
    }
}
