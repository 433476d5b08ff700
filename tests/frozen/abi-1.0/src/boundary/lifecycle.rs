//! What a host asks of a started instance, besides starting and stopping it.

use super::Instance;

/// A plugin's table `lifecycle/1`: whether an instance is ready and well, and pauses of its own work.
///
/// All five functions are present, and are called of started instances only, on one host thread at a time, as `start`
/// and `stop` are; but not always on the same one, and callbacks may run meanwhile unless it says otherwise. They
/// return 0 on success; on failure an error has been reported. A function that the plugin does not implement returns 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LifecycleTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Whether the instance can do its work. Called after `start`, again and again, until it returns 0: only then are
    /// its callbacks called. Returns at once; [`READY_NOT_YET`] if it needs more time, after it has
    /// reported what it waits for. A failure fails the start.
    pub ready: unsafe extern "C" fn(instance: *mut Instance) -> u32,
    /// How the instance is. Called periodically, on a thread of the host that waits for nothing else. 0 if it is well;
    /// [`HEALTH_DEGRADED`] if it works in part, after it has reported why; a failure if it does not work.
    pub health: unsafe extern "C" fn(instance: *mut Instance) -> u32,
    /// Pauses what the instance does by itself: its threads, its sources. Its callbacks are called until it has
    /// returned, and then no more, until `resume`. A failure refuses, and nothing changes.
    pub halt: unsafe extern "C" fn(instance: *mut Instance) -> u32,
    /// Continues what `halt` has paused. Its callbacks are called again once it has returned. After a failure it stays
    /// halted.
    pub resume: unsafe extern "C" fn(instance: *mut Instance) -> u32,
    /// Finishes what the instance still holds. No callback runs any more; `stop` is called next, also after a failure.
    /// It is to return before `deadline_ns`, an instant of `CLOCK_MONOTONIC`.
    pub drain: unsafe extern "C" fn(instance: *mut Instance, deadline_ns: u64) -> u32,
}

/// What [`LifecycleTable::ready`] returns if the instance is not ready yet.
pub const READY_NOT_YET: u32 = 3;
/// What [`LifecycleTable::health`] returns if the instance works, but not as it should.
pub const HEALTH_DEGRADED: u32 = 4;
