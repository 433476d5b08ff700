//! Child processes that the host starts for an instance, and keeps alive.

mod spec;

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;

pub use spec::Spec;

use self::spec::nanoseconds;
use crate::Text;
use crate::boundary::{
    Str, UNIT_DONE, UNIT_ENDED, UNIT_ERROR, UNIT_FAILED, UNIT_FOREVER, UNIT_HALT, UNIT_HALTED, UNIT_HAPPENED,
    UNIT_HAS_FAILED, UNIT_INIT, UNIT_NOT_READY, UNIT_ORDER, UNIT_PING, UNIT_READY, UNIT_REFUSED, UNIT_RELOAD,
    UNIT_RESUME, UNIT_RUNNING, UNIT_SHUTDOWN, UNIT_STARTED, UNIT_STOPPED, UNIT_STOPPING, UNIT_UNWELL, UNIT_WAITING,
    UnitEvent, UnitService, UnitSpec, UnitStatus,
};
use crate::error::{Error, Result};
use crate::host::{Instance, service};

/// A unit of this instance. Dropping it ends the unit, as [`end`](Unit::end) does.
///
/// ```no_run
/// use std::io::Write;
///
/// use hookrail_abi::prelude::*;
/// use hookrail_abi::unit::{Event, OrderKind, Spec};
///
/// /// Keeps a program that reads lines until its stdin is closed. Runs on a thread of the plugin.
/// fn keep(instance: Instance) -> Result<()> {
///     let unit = instance.start_unit(&Spec::new("reader", "/usr/bin/reader").pings(None))?;
///     let mut stdin = None;
///     while let Some(event) = unit.next(None) {
///         match event {
///             Event::Started(mut process) => {
///                 writeln!(process.stdin, "hello")?;
///                 stdin = Some(process.stdin);
///                 unit.ready(process.run);
///             }
///             Event::Ordered(order) if order.kind == OrderKind::Shutdown => {
///                 // It ends at the end of its input.
///                 stdin = None;
///                 order.done();
///             }
///             Event::Ordered(order) => order.refuse("it only reads"),
///             Event::Ended { .. } => stdin = None,
///             _ => {}
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Unit {
    instance: Instance,
    id: u64,
}

/// What has happened to a unit.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A process of it has ended, with all that it had started.
    #[non_exhaustive]
    Ended {
        /// Which process.
        run: u64,
        /// How.
        exit: Exit,
    },
    /// It has ended too often, and is not started again. It is still there, until it is ended.
    Failed,
    /// Its process is ordered to do something. What is dropped is not answered.
    Ordered(Order<'a>),
    /// A process of it was started.
    Started(Process),
}

/// A process of a unit.
#[derive(Debug)]
#[non_exhaustive]
pub struct Process {
    /// Its number in its unit: each one has a greater number.
    pub run: u64,
    /// Leads to its stdin.
    pub stdin: File,
    /// Leads from its stdout.
    pub stdout: File,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// By a signal of that number.
    Signal(i32),
    /// With that status.
    Status(i32),
}

/// What a process is ordered to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct Order<'a> {
    /// What it is.
    pub kind: OrderKind,
    /// Which process is ordered to do it.
    pub run: u64,
    number: u64,
    unit: &'a Unit,
}

/// What processes of units are ordered to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderKind {
    /// To pause its work.
    Halt,
    /// To say how it is.
    Ping,
    /// To read its configuration again.
    Reload,
    /// To go on with its work.
    Resume,
    /// To end.
    Shutdown,
}

/// How a unit is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why it has that state; empty if there is nothing to say.
    pub reason: String,
    /// The number of its process, if it has one.
    pub pid: Option<u32>,
    /// How often it was started again because it had ended.
    pub restarts: u64,
}

/// The state of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Its process runs, and says that something is wrong with it, or does not answer.
    Error,
    /// It has ended too often, and is not started again.
    Failed,
    /// It was told to pause its work.
    Halted,
    /// Its process runs, and is not ready yet.
    Init,
    /// It does its work.
    Running,
    /// It has no process: it was not started yet, or has ended for good.
    Stopped,
    /// It was told to end, and has not yet.
    Stopping,
    /// What a newer host says.
    Unknown,
    /// It waits to be started: it has ended, or another generation of the instance still has its name.
    Waiting,
}

impl Instance {
    /// Begins a unit: the host starts its process, and starts it again when it has ended. The units of an instance end
    /// with it, before [`stop`](crate::Plugin::stop) is called.
    ///
    /// # Errors
    /// If the host does not offer `unit/1`, or refuses: the name is taken, say, or the instance is being stopped.
    pub fn start_unit(&self, spec: &Spec) -> Result<Unit> {
        let service = service::<UnitService>("unit/1").ok_or("the host has no service unit/1")?;
        let (mut id, mut why) = (0, Text::new());
        let start = |spec: &UnitSpec| {
            // SAFETY: the service takes the handle that the host gave us, a specification and texts that hold for the
            // call, and writes to variables of our own.
            unsafe { (service.start)(self.handle(), spec, &mut id, &mut why) }
        };
        match spec.crossing(start) {
            0 => Ok(Unit { instance: *self, id }),
            _ => Err(Error::from(why.as_str())),
        }
    }
}

impl Unit {
    /// Waits for what happens next, but not longer than that; without a limit until something happens. Returns `None` if
    /// nothing has happened in that time, or the unit [is over](Self::is_over).
    pub fn next(&self, limit: Option<Duration>) -> Option<Event<'_>> {
        let mut event = UnitEvent::none();
        let deadline = limit.map(|limit| (std::time::Instant::now(), limit));
        loop {
            let left = deadline.map(|(began, limit)| limit.saturating_sub(began.elapsed()));
            let timeout = left.map_or(UNIT_FOREVER, nanoseconds);
            // SAFETY: the service takes the handle that the host gave us, and writes to a variable of our own.
            if unsafe { (self.service().next)(self.instance.handle(), self.id, timeout, &mut event) } != UNIT_HAPPENED {
                return None;
            }
            if let Some(event) = self.event(&event) {
                return Some(event);
            }
        }
    }

    /// `None` for what a newer host says.
    fn event(&self, event: &UnitEvent) -> Option<Event<'_>> {
        let run = event.run;
        match event.kind {
            UNIT_STARTED if event.input >= 0 && event.output >= 0 => {
                // SAFETY: the host has given these to us, and nobody else has them.
                let (stdin, stdout) =
                    unsafe { (OwnedFd::from_raw_fd(event.input), OwnedFd::from_raw_fd(event.output)) };
                Some(Event::Started(Process { run, stdin: stdin.into(), stdout: stdout.into() }))
            }
            UNIT_ORDER => {
                let kind = match event.what {
                    UNIT_HALT => OrderKind::Halt,
                    UNIT_PING => OrderKind::Ping,
                    UNIT_RELOAD => OrderKind::Reload,
                    UNIT_RESUME => OrderKind::Resume,
                    UNIT_SHUTDOWN => OrderKind::Shutdown,
                    _ => {
                        self.say(run, UNIT_REFUSED, event.order, "its plugin does not know this order");
                        return None;
                    }
                };
                Some(Event::Ordered(Order { kind, run, number: event.order, unit: self }))
            }
            UNIT_ENDED => {
                let exit = if event.signal == 0 { Exit::Status(event.status) } else { Exit::Signal(event.signal) };
                Some(Event::Ended { run, exit })
            }
            UNIT_FAILED => Some(Event::Failed),
            _ => None,
        }
    }

    /// Whether the unit has ended and will not begin again: the instance has ended it, or is being stopped.
    pub fn is_over(&self) -> bool {
        self.status().is_none()
    }

    /// A descriptor that is readable while [`next`](Self::next) has something to return without waiting: for a runtime.
    /// `None` when the unit is over.
    pub fn watch(&self) -> Option<OwnedFd> {
        // SAFETY: the service takes the handle that the host gave us.
        let descriptor = unsafe { (self.service().watch)(self.instance.handle(), self.id) };
        // SAFETY: the host has given it to us, and nobody else has it.
        (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
    }

    /// Says that a process is ready for its work.
    pub fn ready(&self, run: u64) {
        self.say(run, UNIT_READY, 0, "");
    }

    /// Sends a signal to its process, if it has one. Returns whether it could: the unit is there, and the signal too.
    pub fn signal(&self, signal: i32) -> bool {
        // SAFETY: the service takes the handle that the host gave us.
        unsafe { (self.service().signal)(self.instance.handle(), self.id, signal) == 0 }
    }

    /// How it is; `None` when it is over.
    pub fn status(&self) -> Option<Status> {
        let mut status =
            UnitStatus { size: size_of::<UnitStatus>() as u32, state: UNIT_STOPPED, pid: 0, reserved: 0, restarts: 0 };
        let mut why = Text::new();
        // SAFETY: the service takes the handle that the host gave us, and writes to variables of our own.
        if unsafe { (self.service().state)(self.instance.handle(), self.id, &mut status, &mut why) } != 0 {
            return None;
        }
        let state = match status.state {
            UNIT_ERROR => State::Error,
            UNIT_HALTED => State::Halted,
            UNIT_HAS_FAILED => State::Failed,
            UNIT_INIT => State::Init,
            UNIT_RUNNING => State::Running,
            UNIT_STOPPED => State::Stopped,
            UNIT_STOPPING => State::Stopping,
            UNIT_WAITING => State::Waiting,
            _ => State::Unknown,
        };
        let pid = (status.pid != 0).then_some(status.pid);
        Some(Status { state, reason: why.as_str().into(), pid, restarts: status.restarts })
    }

    /// Ends it: its process is ordered to shut down, and killed after its time. [`next`](Self::next) returns what happens
    /// until then.
    pub fn end(&self) {
        // SAFETY: the service takes the handle that the host gave us.
        unsafe { (self.service().end)(self.instance.handle(), self.id) };
    }

    fn say(&self, run: u64, what: u32, order: u64, text: &str) {
        // SAFETY: the service takes the handle that the host gave us, and the text for the call.
        unsafe { (self.service().say)(self.instance.handle(), self.id, run, what, order, Str::new(text)) };
    }

    fn service(&self) -> UnitService {
        service("unit/1").expect("the host that began this unit offers the service")
    }
}

impl Order<'_> {
    /// It is done. To a ping: all is well.
    pub fn done(self) {
        self.unit.say(self.run, UNIT_DONE, self.number, "");
    }

    /// It is not done, for that reason.
    pub fn refuse(self, reason: &str) {
        self.unit.say(self.run, UNIT_REFUSED, self.number, reason);
    }

    /// To a ping: it is not ready, or not any more.
    pub fn not_ready(self) {
        self.unit.say(self.run, UNIT_NOT_READY, self.number, "");
    }

    /// To a ping: something is wrong with it.
    pub fn unwell(self, reason: &str) {
        self.unit.say(self.run, UNIT_UNWELL, self.number, reason);
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.end();
    }
}
