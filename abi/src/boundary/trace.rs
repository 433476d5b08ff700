//! What a plugin tells of itself while it runs: events, spans, lines of its log, panics.

use std::ffi::c_void;

use super::Str;

/// A site that makes events, by its `kind`.
pub const SITE_EVENT: u32 = 1;
/// A site that makes spans, by its `kind`.
pub const SITE_SPAN: u32 = 2;

/// The parent is whatever span the thread is in.
pub const PARENT_CURRENT: u64 = 0;
/// There is no parent. Spans are numbered from 2 on.
pub const PARENT_NONE: u64 = 1;

/// `number` is 0 or 1.
pub const VALUE_BOOL: u32 = 1;
/// `number` is an `int64_t`, bit by bit.
pub const VALUE_INTEGER: u32 = 2;
/// `number` is itself.
pub const VALUE_UNSIGNED: u32 = 3;
/// `number` is a `double`, bit by bit.
pub const VALUE_FLOAT: u32 = 4;
/// `text` is the value.
pub const VALUE_TEXT: u32 = 5;
/// `text` is what the value looks like; its type has no other form here.
pub const VALUE_SHOWN: u32 = 6;

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
    /// The line, from 1 on; 0 when it is not known.
    pub line: u32,
    /// What tells it from the library's other sites for as long as the library is loaded. Null for
    /// one that is described each time.
    pub id: *const c_void,
    /// What the site is called.
    pub name: Str,
    /// Which part of the program it belongs to; filters go by it.
    pub target: Str,
    /// The module; may be empty.
    pub module: Str,
    /// The source file; may be empty.
    pub file: Str,
    /// The names of the fields.
    pub fields: *const Str,
    /// How many fields there are.
    pub field_count: usize,
}

/// The value of one field.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceValue {
    /// Which of the site's fields, from 0 on.
    pub field: u32,
    /// [`VALUE_BOOL`], [`VALUE_INTEGER`], [`VALUE_UNSIGNED`], [`VALUE_FLOAT`], [`VALUE_TEXT`] or
    /// [`VALUE_SHOWN`].
    pub kind: u32,
    /// The value, of the kinds that are numbers.
    pub number: u64,
    /// The value, of the kinds that are texts.
    pub text: Str,
}

/// A panic.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TracePanic {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The line; 0 when it is not known.
    pub line: u32,
    /// The column; 0 when it is not known.
    pub column: u32,
    /// Reserved; 0.
    pub reserved: u32,
    /// What it said.
    pub message: Str,
    /// The source file; may be empty.
    pub file: Str,
    /// The return addresses of the functions that it came from, the innermost first.
    pub frames: *const *const c_void,
    /// How many addresses there are.
    pub frame_count: usize,
}

/// Service `trace/1`: takes what a plugin tells of itself to the host's subscriber of `tracing`, with
/// the instance and the generation on it.
///
/// `library` is what `bind` of the library's [`TraceTable`] was called with; a site is known by its
/// `id` once it was described. Spans that are not open are ignored. Nothing that is passed is kept:
/// the host copies. Any thread, several at once; what belongs to a thread (entering and leaving spans,
/// panics) is about the calling one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Makes a site known. A second time changes nothing.
    pub describe: unsafe extern "C" fn(library: *const c_void, site: *const TraceSite),
    /// Whether anybody wants to know of a site: 1 or 0; 1 for one that is not known yet.
    pub enabled: unsafe extern "C" fn(library: *const c_void, site: *const c_void) -> u32,
    /// Something happened. `parent` is a span, [`PARENT_CURRENT`] or [`PARENT_NONE`]. Returns 1, and
    /// tells nothing, when the site is not known.
    pub event: unsafe extern "C" fn(
        library: *const c_void,
        site: *const c_void,
        parent: u64,
        values: *const TraceValue,
        value_count: usize,
    ) -> u32,
    /// A line of the log, from a site that need not be known and has no fields.
    pub log: unsafe extern "C" fn(library: *const c_void, site: *const TraceSite, text: Str),
    /// Opens a span, and answers its number; 0, and opens none, when the site is not known.
    pub span_open: unsafe extern "C" fn(
        library: *const c_void,
        site: *const c_void,
        parent: u64,
        values: *const TraceValue,
        value_count: usize,
    ) -> u64,
    /// A span has more values.
    pub span_record:
        unsafe extern "C" fn(library: *const c_void, span: u64, values: *const TraceValue, value_count: usize),
    /// A span follows from another one.
    pub span_follows: unsafe extern "C" fn(library: *const c_void, span: u64, from: u64),
    /// This thread enters a span.
    pub span_enter: unsafe extern "C" fn(library: *const c_void, span: u64),
    /// This thread leaves a span.
    pub span_exit: unsafe extern "C" fn(library: *const c_void, span: u64),
    /// One more holds the span.
    pub span_clone: unsafe extern "C" fn(library: *const c_void, span: u64),
    /// One less holds the span; with the last it is closed, and the answer is 1, else 0.
    pub span_drop: unsafe extern "C" fn(library: *const c_void, span: u64) -> u32,
    /// The innermost span of this library that this thread is in, and the `id` of its site; 0 for none.
    pub span_current: unsafe extern "C" fn(library: *const c_void, site: *mut *const c_void) -> u64,
    /// This thread panics.
    pub panicked: unsafe extern "C" fn(library: *const c_void, panic: *const TracePanic),
    /// This thread's last panic, or one with that message, ended the call that the host made: it is
    /// the reason of the fault or failure that is answered next.
    pub caught: unsafe extern "C" fn(library: *const c_void, message: Str),
}

/// A plugin's table `trace/1`: how the host learns what the plugin tells of itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TraceTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Called once, after `attach` and before `create`. What is told before is lost.
    pub bind: unsafe extern "C" fn(library: *const c_void, service: *const TraceService),
    /// How much is told from now on: a [`Level`](crate::host::Level), 0 for nothing. Any thread, one
    /// at a time.
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
