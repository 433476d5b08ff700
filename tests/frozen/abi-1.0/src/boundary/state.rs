//! What a generation hands to the next one.

use super::{Instance, Registrar};
use crate::{Bytes, Text};

/// A state as it crosses the boundary: the tables of two generations exchange it through the host.
#[repr(C)]
#[derive(Clone, Debug)]
pub struct SavedState {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The version of the schema.
    pub version: u32,
    /// The kind of state; empty means that there is none.
    pub schema: Text,
    /// The state itself, which is opaque to the host.
    pub bytes: Bytes,
}

impl SavedState {
    /// No state: what a host passes to `save`.
    pub const fn none() -> Self {
        SavedState { size: size_of::<Self>() as u32, version: 0, schema: Text::new(), bytes: Bytes::new() }
    }
}

/// A plugin's table `state/1`: what an instance hands to the next generation.
///
/// All four functions are present. They run on one host thread at a time, as `start` and `stop` do, and return 0 on
/// success; on failure an error has been reported. A function that the plugin does not implement either returns 0 and
/// leaves `out` as it is, or fails.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Writes the state of a started instance to `out`, which holds no state. Callbacks may run meanwhile.
    pub save: unsafe extern "C" fn(instance: *mut Instance, out: *mut SavedState) -> u32,
    /// Writes what changed since the last `save` to `out`, which holds no state. No callback runs any more; `stop` is
    /// called next.
    pub save_changes: unsafe extern "C" fn(instance: *mut Instance, out: *mut SavedState) -> u32,
    /// Starts a created instance with a state of the previous generation; called in place of `start`. The state is
    /// borrowed, read-only, for the duration of the call.
    pub restore:
        unsafe extern "C" fn(instance: *mut Instance, registrar: *mut Registrar, state: *const SavedState) -> u32,
    /// Applies the previous generation's last changes to a started instance. Callbacks may run meanwhile. The changes
    /// are borrowed, read-only, for the duration of the call.
    pub apply_changes: unsafe extern "C" fn(instance: *mut Instance, changes: *const SavedState) -> u32,
}
