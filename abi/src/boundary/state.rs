//! What a generation hands to the one after it.

use std::ffi::c_void;

use crate::{Bytes, Text};

/// A state that crosses: what the tables of two generations exchange through the host.
#[repr(C)]
#[derive(Clone, Debug)]
pub struct SavedState {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The version of the schema.
    pub version: u32,
    /// Which kind of state; empty for "there is none".
    pub schema: Text,
    /// The state itself; the host does not look into it.
    pub bytes: Bytes,
}

impl SavedState {
    /// No state: what a host hands to `save`.
    pub const fn none() -> Self {
        SavedState { size: size_of::<Self>() as u32, version: 0, schema: Text::new(), bytes: Bytes::new() }
    }
}

/// A plugin's table `state/1`: what an instance hands to the generation after it.
///
/// All four are there. They run on one host thread at a time, as `start` and `stop` do, and answer 0
/// for success; else an error was said. What is not offered answers success and leaves `out` as it
/// is, or refuses.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Writes the state of a started instance to `out`, which has none. Callbacks run meanwhile.
    pub save: unsafe extern "C" fn(instance: *mut c_void, out: *mut SavedState) -> u32,
    /// Writes what changed since the last `save` to `out`, which has none. No callback runs any more;
    /// `stop` comes next.
    pub save_changes: unsafe extern "C" fn(instance: *mut c_void, out: *mut SavedState) -> u32,
    /// Starts a created instance with a state of the generation before it: what `start` does, and
    /// called in its place. The state is only read, for the call.
    pub restore: unsafe extern "C" fn(instance: *mut c_void, registrar: *mut c_void, state: *const SavedState) -> u32,
    /// Takes the rest of the generation before it into a started instance. Callbacks run meanwhile.
    /// The rest is only read, for the call.
    pub apply_changes: unsafe extern "C" fn(instance: *mut c_void, rest: *const SavedState) -> u32,
}
