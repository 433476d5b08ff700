//! What a worker asks of its host about the points that its plugins dispatch. Within a call of a callback it is an upcall of
//! that, so that the thread that waits for the callback dispatches; else it goes by sockets of their own, of which each carries
//! one question at a time, with the number of the thread that asks.

use hookrail_engine::NotDispatched;
use serde::{Deserialize, Serialize};

use super::bytes::Bytes;

/// How many sockets a plugin may have for it, and so how many of its dispatches run at once.
pub(crate) const DISPATCHES: usize = 64;

/// The kind of upcalls by which it is asked: with the number of the plugin and a [`PointAsk`].
pub(crate) const DISPATCH: u32 = 1;
/// It is answered with a [`PointAnswer`].
pub(crate) const ANSWERED: u32 = 0;
/// It is not answered.
pub(crate) const UNANSWERED: u32 = u32::MAX;

/// A point, as a plugin in a worker was built with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fired {
    pub(crate) point: String,
    pub(crate) revision: u32,
    pub(crate) fingerprint: [u64; 2],
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum PointAsk {
    /// Whether it may be dispatched.
    Find(Fired),
    /// That it is dispatched: with the payload as MessagePack, and the deadline and the trace, if they were given.
    Dispatch { of: Fired, payload: Bytes, context: Option<(u64, [u8; 16])> },
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum PointAnswer {
    /// It may be dispatched.
    Found,
    /// It may not; why.
    Refused(String),
    /// What came of it, and the payload if it was changed.
    Dispatched { decision: u32, decided_by: Option<String>, reason: Option<String>, payload: Option<Bytes> },
    /// Nothing was dispatched, or the payload cannot come back.
    NotDispatched(NotDispatched),
}
