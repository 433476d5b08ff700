//! What a unit is: the part of it that a kind of units brings.

use std::cell::OnceCell;
use std::io;
use std::sync::mpsc::Sender;

use super::event::{Event, Pong, Reply, Said};
use crate::error::Error;
use crate::lock::Lock;
use crate::process::Process;
use crate::spec::Spec;
use crate::supervisor::Supervisor;

/// A kind of units: how its process is started, and how it is told what to do.
///
/// Its methods run on the unit's own thread, one at a time. They are not to wait for the process: it answers by the
/// [`Voice`] and the [`Answer`]s that they are given, from whatever thread, and the unit sees to the deadlines. A method
/// that waits all the same delays its own unit, and neither another one nor the news that a process has ended.
pub trait Kind: Send {
    /// Starts the process, by [`Start::spawn`], and has [`Voice::ready`] called when it is ready.
    ///
    /// # Errors
    /// What failed; a process that was started is killed. It counts as an end, so it is tried again as long as the unit's
    /// [`Restarts`](crate::Restarts) say.
    fn start(&mut self, start: &Start<'_>) -> Result<(), Error>;

    /// Tells the process what to do. Its end, which is expected after [`Order::Shutdown`], is noticed without it.
    fn order(&mut self, order: Order, answer: Answer);
}

/// What a process is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
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

/// A start of a unit.
pub struct Start<'a> {
    pub(super) supervisor: &'a Supervisor,
    pub(super) lock: &'a Lock,
    pub(super) voice: Voice,
    pub(super) is_halted: bool,
    pub(super) process: OnceCell<Process>,
}

impl Start<'_> {
    /// Starts the process, once. Its guardian holds the unit's name, so that no host starts the unit before it has ended.
    ///
    /// # Errors
    /// As [`Supervisor::spawn`], and if the unit has its process.
    pub fn spawn(&self, spec: Spec) -> Result<Process, Error> {
        if self.process.get().is_some() {
            let cause = io::Error::other("it has one");
            return Err(Error::system(format!("start another process of the unit `{}`", self.lock.name()), cause));
        }
        let process = self.supervisor.spawn(spec.hold(self.lock.share()?))?;
        Ok(self.process.get_or_init(|| process).clone())
    }

    /// How the process makes itself heard.
    pub fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Whether the unit was halted when it ended, so that it is to begin halted. If it cannot, it is ordered to halt as
    /// soon as it is ready.
    pub fn is_halted(&self) -> bool {
        self.is_halted
    }
}

/// How one process makes itself heard. After its end, nobody listens.
#[derive(Clone, Debug)]
pub struct Voice {
    pub(super) events: Sender<Event>,
    pub(super) run: u64,
}

impl Voice {
    /// It is ready.
    pub fn ready(&self) {
        let _ = self.events.send(Event::Said(self.run, Said::Ready));
    }
}

/// The answer to one order. What is dropped was not answered.
#[derive(Debug)]
pub struct Answer {
    pub(super) voice: Voice,
    pub(super) number: u64,
}

impl Answer {
    /// It is done. To a ping, all is well.
    pub fn acknowledge(self) {
        self.send(Reply::Acknowledged);
    }

    /// It is not done, for that reason.
    pub fn refuse(self, reason: impl Into<String>) {
        self.send(Reply::Refused(reason.into()));
    }

    /// To a ping: it is so.
    pub fn pong(self, pong: Pong) {
        self.send(Reply::Pong(pong));
    }

    fn send(self, reply: Reply) {
        let said = Said::Answer(self.number, reply);
        let _ = self.voice.events.send(Event::Said(self.voice.run, said));
    }
}

impl Order {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Order::Halt => "halt",
            Order::Ping => "ping",
            Order::Reload => "reload",
            Order::Resume => "resume",
            Order::Shutdown => "shutdown",
        }
    }
}
