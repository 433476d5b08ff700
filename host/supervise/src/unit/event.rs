//! What happens to a unit.

use std::sync::mpsc::Sender;

use hookrail_model::unit::{Acknowledgement, Exit, UnitCommand};

/// What a unit's thread is told, by whoever it comes from.
pub(super) enum Event {
    /// Somebody gives a command.
    Asked(UnitCommand, Sender<Acknowledgement>),
    /// Nobody will ask any more.
    Dropped,
    /// The process of that run has ended.
    Exited(u64, Exit),
    /// The process of that run has said something.
    Said(u64, Said),
}

/// What a process says.
pub(super) enum Said {
    /// The answer to the order of that number.
    Answer(u64, Reply),
    Ready,
}

/// The answer to an order.
#[derive(Debug)]
pub(super) enum Reply {
    Acknowledged,
    Pong(Pong),
    Refused(String),
}

/// How a unit is, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pong {
    /// Something is wrong with it.
    Error {
        /// What.
        reason: String,
    },
    /// It is not ready, or not any more.
    Init,
    /// All is as it should be, be it running or halted.
    Well,
}
