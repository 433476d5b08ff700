//! What the thread of an operator and the threads of its endpoints share.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;
use serde_json::{Map, Value};

use crate::bell::Bell;
use crate::request::Request;
use crate::terms::Terms;

/// How many messages, and how many bytes of them, may wait for the source: then no more is read.
const MOST_PUBLISHED: usize = 1024;
const MOST_PUBLISHED_BYTES: usize = 4 << 20;
/// How many bytes may wait to be written: then the sink receives no more.
const MOST_OUTGOING_BYTES: usize = 256 << 10;
/// How many answers may wait for the sink: more than a window has, so the rest are for nothing.
const MOST_SETTLED: usize = 128 << 10;

/// The link between an operator and its endpoints. Nobody waits while it is locked.
pub(crate) struct Link {
    pub(crate) name: String,
    state: Mutex<State>,
    /// Wakes the thread of the operator.
    pub(crate) bell: Bell,
    /// Wakes its source.
    pub(crate) source: Bell,
    /// Wakes its sink.
    pub(crate) sink: Bell,
    /// Signalled when it begins, and when its phase changes.
    changed: Condvar,
}

/// What is shared.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    has_begun: bool,
    /// What it has said is wrong with it.
    pub(crate) illness: Option<String>,
    /// Whether it was told to pause.
    pub(crate) is_halted: bool,
    has_source: bool,
    has_sink: bool,
    published: VecDeque<Published>,
    published_bytes: usize,
    /// What the stream has taken: receipts that are to be written.
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) outgoing: VecDeque<Delivery>,
    outgoing_bytes: usize,
    settled: Vec<(u64, Settled)>,
    /// The number of the last message that was to be written.
    last: u64,
    pub(crate) requests: VecDeque<Request>,
    /// The configuration that it has stored itself.
    pub(crate) stored: Option<Map<String, Value>>,
}

/// How far it is.
#[derive(Clone, Default)]
pub(crate) enum Phase {
    /// It is not started any more.
    Failed(String),
    /// It has ended for good.
    Over,
    /// The process of that number works.
    Ready(u64, Arc<Terms>),
    /// There is no process that is ready.
    #[default]
    Starting,
}

/// A message that it has published.
pub(crate) struct Published {
    pub(crate) message: Message,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) size: usize,
}

/// What a process is to be told when the stream has taken a message.
pub(crate) struct Receipt {
    pub(crate) process: u64,
    pub(crate) reference: Value,
}

/// A message that is to be written to it.
pub(crate) struct Delivery {
    pub(crate) number: u64,
    pub(crate) line: Vec<u8>,
}

/// What came of a message that was to be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Settled {
    Delivered,
    Rejected(String),
    Retried(String),
}

/// One end that is in use.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    Sink,
    Source,
}

/// The use of an end, until it is dropped.
pub(crate) struct Attached<'a> {
    link: &'a Link,
    end: End,
}

impl Link {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let (bell, source, sink) = (Bell::new()?, Bell::new()?, Bell::new()?);
        Ok(Link { name: name.into(), state: Mutex::default(), bell, source, sink, changed: Condvar::new() })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the thread of the operator do something. Once that has ended, there is nothing to be done.
    pub(crate) fn request(&self, request: Request) {
        let mut state = self.state();
        if let Phase::Over = state.phase {
            return request.ended();
        }
        state.requests.push_back(request);
        self.bell.ring();
    }

    pub(crate) fn set(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        if let Phase::Over = state.phase {
            state.requests.drain(..).for_each(Request::ended);
        }
        drop(state);
        self.source.ring();
        self.sink.ring();
        self.changed.notify_all();
    }

    /// The thread of the operator runs.
    pub(crate) fn begin(&self) {
        self.state().has_begun = true;
        self.changed.notify_all();
    }

    /// Waits until its thread runs: what a thread needs once is there from then on.
    pub(crate) fn wait_until_begun(&self) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| !state.has_begun));
    }

    /// Waits until it has ended for good, but not longer than that; returns whether it has.
    pub(crate) fn wait_until_over(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        while !matches!(state.phase, Phase::Over) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Begins to use one of its ends.
    ///
    /// # Errors
    /// If it is in use.
    pub(crate) fn attach(&self, end: End) -> Result<Attached<'_>> {
        let mut state = self.state();
        let is_used = state.end(end);
        if std::mem::replace(is_used, true) {
            let what = if end == End::Sink { "sink" } else { "source" };
            let why = format!("the operator `{}` has a {what} already: one pipeline may have it", self.name);
            return Err(why.into());
        }
        Ok(Attached { link: self, end })
    }

    /// Why the operator does nothing more, if that is so.
    ///
    /// # Errors
    /// That is the error.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.state().phase {
            Phase::Failed(why) => Err(format!("the operator `{}` has failed: {why}", self.name).into()),
            Phase::Over => Err(format!("the operator `{}` has ended", self.name).into()),
            Phase::Ready(..) | Phase::Starting => Ok(()),
        }
    }
}

impl State {
    fn end(&mut self, end: End) -> &mut bool {
        match end {
            End::Sink => &mut self.has_sink,
            End::Source => &mut self.has_source,
        }
    }

    /// Whether no more is to be read; `slack` is how much more than otherwise may wait.
    pub(crate) fn is_full(&self, slack: usize) -> bool {
        self.published.len() >= MOST_PUBLISHED * slack || self.published_bytes >= MOST_PUBLISHED_BYTES * slack
    }

    pub(crate) fn publish(&mut self, published: Published) {
        self.published_bytes += published.size;
        self.published.push_back(published);
    }

    /// Puts back, or in front, what was published before all that is there.
    pub(crate) fn publish_first(&mut self, before: impl DoubleEndedIterator<Item = Published>) {
        for published in before.rev() {
            self.published_bytes += published.size;
            self.published.push_front(published);
        }
    }

    /// Takes what was published, so many messages at most.
    pub(crate) fn take_published(&mut self, most: usize) -> Vec<Published> {
        let count = self.published.len().min(most);
        let taken: Vec<_> = self.published.drain(..count).collect();
        self.published_bytes -= taken.iter().map(|published| published.size).sum::<usize>();
        taken
    }

    /// Whether the sink may have more written.
    pub(crate) fn has_room(&self) -> bool {
        self.outgoing_bytes < MOST_OUTGOING_BYTES
    }

    /// The number of the next message that is to be written.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        self.outgoing_bytes += delivery.line.len();
        self.outgoing.push_back(delivery);
    }

    /// Takes messages to be written, until `each` has enough.
    pub(crate) fn take_outgoing(&mut self, mut each: impl FnMut(Delivery) -> ControlFlow<()>) {
        while let Some(delivery) = self.outgoing.pop_front() {
            self.outgoing_bytes -= delivery.line.len();
            if each(delivery).is_break() {
                return;
            }
        }
    }

    /// What is to be written is not written any more.
    pub(crate) fn forget_outgoing(&mut self) {
        self.outgoing.clear();
        self.outgoing_bytes = 0;
    }

    pub(crate) fn settle(&mut self, number: u64, settled: Settled) {
        // Without a sink nobody waits for it.
        if self.has_sink && number <= self.last && self.settled.len() < MOST_SETTLED {
            self.settled.push((number, settled));
        }
    }

    pub(crate) fn has_settled(&self) -> bool {
        !self.settled.is_empty()
    }

    pub(crate) fn take_settled(&mut self) -> Vec<(u64, Settled)> {
        std::mem::take(&mut self.settled)
    }
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        let mut state = self.link.state();
        *state.end(self.end) = false;
        if self.end == End::Sink {
            state.forget_outgoing();
            state.settled.clear();
        }
    }
}

/// A while after which a thread looks whether it is to end, where nothing tells it.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
