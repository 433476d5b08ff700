//! Child processes that the host starts for an instance, and keeps alive.

use super::{Handle, Str};
use crate::Text;

/// What a unit is: the program that is run, and what is asked of it. Copied before `start` returns.
///
/// The process gets no argument, no variable and no descriptor but those given here, and stdin, stdout and stderr: what
/// its stdin and stdout lead to comes with [`UNIT_STARTED`], its stderr is written to the host's log, line by line.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UnitSpec {
    /// Size of this structure in bytes.
    pub size: u32,
    /// After how many ends in a row it has failed, and is not started again; 0 for the host's default, 1 for never
    /// again.
    pub restarts: u32,
    /// Its name, unique among the units of the instance: letters, digits, `-`, `_`, `.` and `:`.
    pub name: Str,
    /// The program's path. It is not looked for in `PATH`.
    pub program: Str,
    /// The arguments behind the program's name.
    pub arguments: *const Str,
    /// How many there are.
    pub argument_count: usize,
    /// The variables of its environment, each `NAME=value`.
    pub environment: *const Str,
    /// How many there are.
    pub environment_count: usize,
    /// The directory that it starts in; empty for that of the host.
    pub directory: Str,
    /// How long it may take until it is ready; 0 for the host's default.
    pub ready_ns: u64,
    /// How long it may take for an order to halt, resume or reload; 0 for the host's default.
    pub order_ns: u64,
    /// How long it may take to end when it is told to, before it is killed; 0 for the host's default.
    pub shutdown_ns: u64,
    /// How long it may take to answer a ping; 0 for the host's default.
    pub pong_ns: u64,
    /// From one ping to the next; 0 for the host's default, [`UNIT_FOREVER`] for no pings.
    pub ping_every_ns: u64,
}

/// What has happened to a unit. The caller sets `size`; the host writes the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UnitEvent {
    /// Size of this structure in bytes.
    pub size: u32,
    /// [`UNIT_STARTED`], [`UNIT_ORDER`], [`UNIT_ENDED`] or [`UNIT_FAILED`]. What a newer host says besides is to be passed
    /// over.
    pub kind: u32,
    /// The process that it is about: each start of the unit has a greater number.
    pub run: u64,
    /// The number of the order, for the answer.
    pub order: u64,
    /// What is ordered: [`UNIT_HALT`], [`UNIT_PING`], [`UNIT_RELOAD`], [`UNIT_RESUME`] or [`UNIT_SHUTDOWN`]. What a newer
    /// host orders besides is to be refused.
    pub what: u32,
    /// The status that the process ended with; -1 if a signal has ended it.
    pub status: i32,
    /// The signal that has ended it; 0 if none has.
    pub signal: i32,
    /// The descriptor that leads to the process's stdin, to write to. It belongs to the plugin, which closes it.
    pub input: i32,
    /// The descriptor that leads from the process's stdout, to read from. It belongs to the plugin, which closes it.
    pub output: i32,
    /// Reserved; 0.
    pub reserved: u32,
}

impl UnitEvent {
    /// Nothing yet: what is passed to `next`.
    pub const fn none() -> Self {
        UnitEvent {
            size: size_of::<Self>() as u32,
            kind: 0,
            run: 0,
            order: 0,
            what: 0,
            status: 0,
            signal: 0,
            input: -1,
            output: -1,
            reserved: 0,
        }
    }
}

/// How a unit is. The caller sets `size`; the host writes the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UnitStatus {
    /// Size of this structure in bytes.
    pub size: u32,
    /// [`UNIT_STOPPED`], or another of those.
    pub state: u32,
    /// The number of its process; 0 if it has none.
    pub pid: u32,
    /// Reserved; 0.
    pub reserved: u32,
    /// How often it was started again because it had ended.
    pub restarts: u64,
}

/// Service `unit/1`: child processes that the host starts for an instance, and keeps alive.
///
/// The host starts the process of a unit, starts it again when it has ended, and orders it to halt, to resume, to reload,
/// to say how it is and to shut down. It knows nothing of what the process understands: the plugin takes from `next` what
/// the host orders, passes it on in the process's own way, and tells the host by `say` what came of it.
///
/// The units of an instance end with it: before `stop` is called, they are ordered to shut down, and killed after their
/// time. They end with the host too, however that ends. Any thread, several at once; only `next` waits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UnitService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Begins a unit, and writes its id. A unit of that name that another generation of the instance still has is waited
    /// for, not here but before the process is started. Returns 0 on success; else 1, and has appended the reason to
    /// `why`, in one line.
    pub start: unsafe extern "C" fn(handle: *const Handle, spec: *const UnitSpec, id: *mut u64, why: *mut Text) -> u32,
    /// Waits for what happens next to a unit, but not longer than `timeout_ns`. Returns [`UNIT_HAPPENED`] and has written
    /// it to `event`; [`UNIT_NOTHING`] if nothing has happened in that time; or [`UNIT_GONE`] when the unit has ended and
    /// will not begin again, or never was.
    pub next: unsafe extern "C" fn(handle: *const Handle, id: u64, timeout_ns: u64, event: *mut UnitEvent) -> u32,
    /// Returns a descriptor that is readable while `next` has something to return without waiting, or -1 if there is no
    /// such unit. It belongs to the plugin, which closes it.
    pub watch: unsafe extern "C" fn(handle: *const Handle, id: u64) -> i32,
    /// Says what the process `run` of a unit has said: `what` is [`UNIT_READY`], [`UNIT_DONE`], [`UNIT_REFUSED`],
    /// [`UNIT_NOT_READY`] or [`UNIT_UNWELL`]; `order` the number of the order that it answers, if it does; `text` the
    /// reason, if there is one. What comes too late is passed over. Returns 0, or 1 if there is no such unit.
    pub say: unsafe extern "C" fn(handle: *const Handle, id: u64, run: u64, what: u32, order: u64, text: Str) -> u32,
    /// Sends a signal to the process of a unit, if it has one. Returns 0 on success, 1 if there is no such unit or no such
    /// signal.
    pub signal: unsafe extern "C" fn(handle: *const Handle, id: u64, signal: i32) -> u32,
    /// Writes how a unit is to `status`, and appends why it is so to `why`, if there is something to say. Returns 0, or 1
    /// if there is no such unit.
    pub state: unsafe extern "C" fn(handle: *const Handle, id: u64, status: *mut UnitStatus, why: *mut Text) -> u32,
    /// Ends a unit: its process is ordered to shut down, and killed after its time. `next` returns [`UNIT_GONE`] when it
    /// has ended. Returns 0, or 1 if there is no such unit.
    pub end: unsafe extern "C" fn(handle: *const Handle, id: u64) -> u32,
}

/// A time without end.
pub const UNIT_FOREVER: u64 = u64::MAX;

/// What [`UnitService::next`] returns when something has happened.
pub const UNIT_HAPPENED: u32 = 0;
/// What [`UnitService::next`] returns when nothing has happened in that time.
pub const UNIT_NOTHING: u32 = 1;
/// What [`UnitService::next`] returns when the unit is over.
pub const UNIT_GONE: u32 = 2;

/// The process `run` was started; `input` and `output` lead there.
pub const UNIT_STARTED: u32 = 1;
/// The process `run` is ordered to do `what`.
pub const UNIT_ORDER: u32 = 2;
/// The process `run` has ended, with all that it has started: with that `status` or by that `signal`.
pub const UNIT_ENDED: u32 = 3;
/// The unit has ended too often, and is not started again. It is still there, until it is ended.
pub const UNIT_FAILED: u32 = 4;

/// To pause its work.
pub const UNIT_HALT: u32 = 1;
/// To say how it is.
pub const UNIT_PING: u32 = 2;
/// To read its configuration again.
pub const UNIT_RELOAD: u32 = 3;
/// To go on with its work.
pub const UNIT_RESUME: u32 = 4;
/// To end.
pub const UNIT_SHUTDOWN: u32 = 5;

/// The process is ready for its work.
pub const UNIT_READY: u32 = 1;
/// The order is done. To a ping: all is well.
pub const UNIT_DONE: u32 = 2;
/// The order is refused.
pub const UNIT_REFUSED: u32 = 3;
/// To a ping: it is not ready, or not any more.
pub const UNIT_NOT_READY: u32 = 4;
/// To a ping: something is wrong with it.
pub const UNIT_UNWELL: u32 = 5;

/// It has no process: it was not started yet, or has ended for good.
pub const UNIT_STOPPED: u32 = 0;
/// Its process runs, and is not ready yet.
pub const UNIT_INIT: u32 = 1;
/// It does its work.
pub const UNIT_RUNNING: u32 = 2;
/// It was told to pause its work.
pub const UNIT_HALTED: u32 = 3;
/// Its process runs, and says that something is wrong with it, or does not answer.
pub const UNIT_ERROR: u32 = 4;
/// It was told to end, and has not yet.
pub const UNIT_STOPPING: u32 = 5;
/// It waits to be started: it has ended, or another generation of the instance still has its name.
pub const UNIT_WAITING: u32 = 6;
/// It has ended too often, and is not started again.
pub const UNIT_HAS_FAILED: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_first_version() {
        check_layout!(UnitEvent, 48: size 0, kind 4, run 8, order 16, what 24, status 28, signal 32, input 36, output 40,
            reserved 44);
        check_layout!(UnitService, 64: size 0, start 8, next 16, watch 24, say 32, signal 40, state 48, end 56);
        check_layout!(UnitSpec, 128: size 0, restarts 4, name 8, program 24, arguments 40, argument_count 48,
            environment 56, environment_count 64, directory 72, ready_ns 88, order_ns 96, shutdown_ns 104, pong_ns 112,
            ping_every_ns 120);
        check_layout!(UnitStatus, 24: size 0, state 4, pid 8, reserved 12, restarts 16);
    }
}
