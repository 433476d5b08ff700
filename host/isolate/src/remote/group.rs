//! The callbacks of a worker that cross together: those that stand next to each other in a chain.
//!
//! 1. The first one crosses for all of them, with a [`Group`]. The worker runs them in order, up to the first that does not
//!    continue.
//! 2. The host takes what they made of the payload, and the first one answers. What the others have answered is kept
//!    ([`Kept`]) until they are called, which is next: nothing comes between.
//! 3. If the worker ends inside one of them, that call is lost, and those before it are made again, since what they made
//!    of the payload has not come back. So no callback crosses behind one that touches more than the payload and its own
//!    process: that is not run twice.

use std::cell::RefCell;
use std::sync::Arc;

use hookrail_abi::verdict::raw;
use hookrail_dispatch::frame::Here;

use super::live::Live;
use crate::lane::{MOST_CALLBACKS, Reply};

/// What crosses in one request.
pub(super) struct Group {
    len: usize,
    /// By which the process knows them.
    numbers: [u32; MOST_CALLBACKS],
    first: Option<Here>,
    /// Empty for most, and then no memory is taken.
    neighbours: Vec<Here>,
}

impl Group {
    /// The callback with that number, which is in that call.
    pub(super) fn new(number: u32, call: Option<Here>) -> Self {
        let mut numbers = [0; MOST_CALLBACKS];
        numbers[0] = number;
        Group { len: 1, numbers, first: call, neighbours: Vec::new() }
    }

    /// The call of its first callback, if others may be added behind that: this thread can keep their answers.
    pub(super) fn first_call(&self) -> Option<Here> {
        self.first.filter(|_| can_keep())
    }

    /// Adds a neighbour.
    pub(super) fn push(&mut self, number: u32, call: Here) {
        self.numbers[self.len] = number;
        self.neighbours.push(call);
        self.len += 1;
    }

    pub(super) fn numbers(&self) -> &[u32] {
        &self.numbers[..self.len]
    }

    /// What is lost with the neighbour at that place.
    pub(super) fn lost(&self, place: usize, what: String, is_its_input: bool, live: Arc<Live>) -> Kept {
        Kept { call: self.neighbours[place - 1], answer: Answer::Lost { what, is_its_input, live } }
    }

    /// Keeps the answers of the neighbours, and those that were lost before; returns that of the first.
    pub(super) fn keep(&self, reply: &Reply<'_>, mut lost: Vec<Kept>) -> Answer {
        let mut report = reply.report().map(|(kind, text)| (kind, text.to_owned()));
        let Some(last) = reply.ran().checked_sub(2) else {
            if !lost.is_empty() {
                keep(lost);
            }
            return Answer::Came { verdict: reply.verdict(), report };
        };
        for (place, call) in self.neighbours[..=last].iter().enumerate().rev() {
            let (verdict, report) =
                if place == last { (reply.verdict(), report.take()) } else { (raw::CONTINUE, None) };
            lost.push(Kept { call: *call, answer: Answer::Came { verdict, report } });
        }
        keep(lost);
        Answer::Came { verdict: raw::CONTINUE, report: None }
    }

    /// Keeps for the neighbours that they were queued.
    pub(super) fn keep_queued(&self) {
        if !self.neighbours.is_empty() {
            let queued = || Answer::Came { verdict: raw::CONTINUE, report: None };
            keep(self.neighbours.iter().rev().map(|call| Kept { call: *call, answer: queued() }).collect());
        }
    }
}

/// What a callback has come to that has not been called yet.
pub(super) struct Kept {
    call: Here,
    answer: Answer,
}

/// What a callback has come to.
pub(super) enum Answer {
    Came {
        verdict: u32,
        /// A kind and a text.
        report: Option<(u32, String)>,
    },
    /// Its worker ended.
    Lost {
        what: String,
        /// Whether it may have ended for what it was called with.
        is_its_input: bool,
        /// The process that ended.
        live: Arc<Live>,
    },
}

thread_local! {
    /// The last one is that of the next call.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Whether this thread can still keep anything.
fn can_keep() -> bool {
    KEPT.try_with(|_| ()).is_ok()
}

/// What was kept before was for calls that have not been made, and never will be.
pub(super) fn keep(kept: Vec<Kept>) {
    let _ = KEPT.try_with(|all| all.replace(kept));
}

/// What that call has come to already.
#[inline]
pub(super) fn kept(call: Here) -> Option<Answer> {
    KEPT.try_with(|all| {
        let mut all = all.borrow_mut();
        // Those that come before it were retired in the meantime.
        let place = all.iter().rposition(|kept| kept.call == call)?;
        all.truncate(place + 1);
        all.pop().map(|kept| kept.answer)
    })
    .ok()?
}
