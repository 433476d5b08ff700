//! What a process was asked and has not answered.

use std::time::Instant;

use hookrail_abi::unit::Order;
use serde_json::{Map, Value};

use crate::request::Reply;
use crate::said::What;

/// What it was asked, and who waits for the answer.
pub(super) struct Asked<'a> {
    pub(super) what: Asking,
    pub(super) by: By<'a>,
    /// The configuration that it has once it has reloaded.
    pub(super) config: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Asking {
    Order(What),
    Ping,
}

pub(super) enum By<'a> {
    /// The host, which knows its own deadline.
    Host(Order<'a>),
    /// The plugin, until that time.
    Plugin(Reply, Instant),
}

impl Asked<'_> {
    pub(super) fn is_ping(&self) -> bool {
        self.what == Asking::Ping
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.by {
            By::Host(_) => None,
            By::Plugin(_, deadline) => Some(deadline),
        }
    }

    pub(super) fn answer(self, answer: Result<(), &str>) {
        self.by.answer(answer);
    }
}

impl By<'_> {
    pub(super) fn answer(self, answer: Result<(), &str>) {
        match (self, answer) {
            (By::Host(order), Ok(())) => order.done(),
            (By::Host(order), Err(why)) => order.refuse(why),
            (By::Plugin(reply, _), answer) => reply.answer(answer.map_err(Into::into)),
        }
    }
}
