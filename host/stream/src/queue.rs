//! The bounded queue before a sink.
//!
//! Sources put messages in, each on its own thread; one sink takes them out. What it has taken and not answered for is
//! beside the queue, and comes back to its front if the sink ends. Whole batches pass under one lock.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use hookrail_abi::{DropKind, Message};
use hookrail_model::pipeline::{QueueConfig, QueuePolicy};
use parking_lot::{Condvar, Mutex};

use crate::receipt::Receipt;
use crate::watched::Watched;

/// A message on its way to one sink.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) message: Arc<Message>,
    pub(crate) receipt: Receipt,
}

impl Item {
    /// It was delivered, or dropped for a reason that was counted.
    pub(crate) fn settle(self) {
        self.receipt.settle();
    }
}

/// What a queue has no place for, and why.
pub(crate) type Refused = (Item, DropKind);

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    config: QueueConfig,
    state: Mutex<State>,
    /// There is something to take, or there never will be.
    readable: Condvar,
    /// There is room, or there never will be.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    /// For `latest_per_key`: the number of the item with that key. The first one in the queue has the number `first`; they
    /// wrap around.
    by_key: HashMap<String, u64>,
    first: u64,
    /// How many were taken and not answered for.
    taken: usize,
    mode: Mode,
    /// Whether the sink is to end, though the queue goes on.
    is_reader_closed: bool,
    /// Readable while there is something to take, once the sink has asked for it.
    watched: Option<Watched>,
}

/// Whether messages come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They come and go.
    #[default]
    Open,
    /// None comes any more.
    Draining,
    /// None comes and none goes.
    Closed,
}

/// What a sink gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Closed,
    Nothing,
    Some,
}

impl Queue {
    pub(crate) fn new(config: QueueConfig) -> Self {
        Queue { config, state: Mutex::default(), readable: Condvar::new(), room: Condvar::new() }
    }

    pub(crate) fn config(&self) -> &QueueConfig {
        &self.config
    }

    /// Waits until there is room for a message if the policy is to wait, until the time is over, or `is_over` returns true after
    /// [`wake`](Self::wake). Returns whether there is room.
    pub(crate) fn wait_for_room(&self, deadline: Option<Instant>, is_over: impl Fn() -> bool) -> bool {
        if self.config.policy != QueuePolicy::Block {
            return true;
        }
        let mut state = self.state.lock();
        while state.mode == Mode::Open && self.is_full(&state) {
            if is_over() || !wait(&self.room, &mut state, deadline) {
                return false;
            }
        }
        true
    }

    /// Puts messages in, in order. What has no place is added to `refused`. Does not wait: where the policy is to wait, the
    /// source has waited for room before, and its batch goes in whole.
    pub(crate) fn put(&self, items: &mut Vec<Item>, refused: &mut Vec<Refused>) {
        let mut state = self.state.lock();
        for item in items.drain(..) {
            if state.mode != Mode::Open {
                refused.push((item, DropKind::Shutdown));
            } else if self.config.policy == QueuePolicy::LatestPerKey {
                self.put_latest(&mut state, item, refused);
            } else if self.config.policy == QueuePolicy::Block || !self.is_full(&state) {
                state.items.push_back(item);
            } else if self.config.policy == QueuePolicy::DropOldest
                && let Some(oldest) = state.items.pop_front()
            {
                state.items.push_back(item);
                refused.push((oldest, DropKind::Full));
            } else {
                // What the sink has taken is not to be given up.
                refused.push((item, DropKind::Full));
            }
        }
        self.tell(&mut state);
    }

    fn put_latest(&self, state: &mut State, item: Item, refused: &mut Vec<Refused>) {
        let key = self.key(&item.message);
        if let Some(number) = state.by_key.get(key) {
            let place = number.wrapping_sub(state.first) as usize;
            refused.push((std::mem::replace(&mut state.items[place], item), DropKind::Replaced));
            return;
        }
        if self.is_full(state) {
            match self.take_first(state) {
                Some(oldest) => refused.push((oldest, DropKind::Full)),
                None => {
                    refused.push((item, DropKind::Full));
                    return;
                }
            }
        }
        let number = state.first.wrapping_add(state.items.len() as u64);
        state.by_key.insert(key.to_owned(), number);
        state.items.push_back(item);
    }

    fn key<'a>(&self, message: &'a Message) -> &'a str {
        match &self.config.key {
            Some(header) => message.header(header).unwrap_or_default(),
            None => message.topic.as_str(),
        }
    }

    fn take_first(&self, state: &mut State) -> Option<Item> {
        let item = state.items.pop_front()?;
        if self.config.policy == QueuePolicy::LatestPerKey {
            state.by_key.remove(self.key(&item.message));
            state.first = state.first.wrapping_add(1);
        }
        Some(item)
    }

    /// What was taken counts, so that a sink that never answers fills its queue.
    fn is_full(&self, state: &State) -> bool {
        state.items.len() + state.taken >= self.config.capacity
    }

    /// Takes the next messages, `most` at most, and appends them to `taken`; waits for the first one until the deadline.
    pub(crate) fn take(&self, most: usize, deadline: Option<Instant>, taken: &mut VecDeque<Item>) -> Taken {
        let mut state = self.state.lock();
        loop {
            if state.is_reader_closed || state.mode == Mode::Closed {
                return Taken::Closed;
            }
            if !state.items.is_empty() {
                break;
            }
            if state.mode == Mode::Draining {
                return Taken::Closed;
            }
            if !wait(&self.readable, &mut state, deadline) {
                return Taken::Nothing;
            }
        }
        let before = taken.len();
        while taken.len() - before < most
            && let Some(item) = self.take_first(&mut state)
        {
            taken.push_back(item);
        }
        state.taken += taken.len() - before;
        self.show(&mut state);
        if taken.len() > before { Taken::Some } else { Taken::Nothing }
    }

    /// So many that were taken are answered for.
    pub(crate) fn answered(&self, count: usize) {
        let mut state = self.state.lock();
        state.taken -= count;
        self.room.notify_all();
        // A sink that drains waits for its last messages, and so does whoever waits for it.
        if state.mode == Mode::Draining {
            self.readable.notify_all();
        }
    }

    /// Puts what was taken back to the front, in its order. What has been replaced meanwhile is added to `refused`.
    pub(crate) fn put_back(&self, taken: &mut VecDeque<Item>, refused: &mut Vec<Refused>) {
        let mut state = self.state.lock();
        state.taken -= taken.len();
        while let Some(item) = taken.pop_back() {
            if self.config.policy == QueuePolicy::LatestPerKey {
                let key = self.key(&item.message);
                if state.by_key.contains_key(key) {
                    refused.push((item, DropKind::Replaced));
                    continue;
                }
                state.first = state.first.wrapping_sub(1);
                let first = state.first;
                state.by_key.insert(key.to_owned(), first);
            }
            state.items.push_front(item);
        }
        self.tell(&mut state);
    }

    /// Opens the queue, or has it end.
    pub(crate) fn set_mode(&self, mode: Mode) {
        let mut state = self.state.lock();
        state.mode = mode;
        self.tell(&mut state);
        self.readable.notify_all();
        self.room.notify_all();
    }

    /// Whether the sink is to end.
    pub(crate) fn close_reader(&self, is_closed: bool) {
        let mut state = self.state.lock();
        state.is_reader_closed = is_closed;
        self.tell(&mut state);
        self.readable.notify_all();
    }

    /// Waits until the sink is to end, or the time is over; returns whether it is.
    pub(crate) fn wait_until_closed(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        let is_closed = |state: &State| {
            let is_empty = state.mode == Mode::Draining && state.items.is_empty();
            state.is_reader_closed || state.mode == Mode::Closed || is_empty
        };
        while !is_closed(&state) {
            if !wait(&self.readable, &mut state, Some(deadline)) {
                return is_closed(&state);
            }
        }
        true
    }

    /// How many messages are in it, or taken and not answered for.
    pub(crate) fn held(&self) -> usize {
        let state = self.state.lock();
        state.items.len() + state.taken
    }

    /// Takes all that is left, once it is closed.
    pub(crate) fn clear(&self) -> Vec<Item> {
        let mut state = self.state.lock();
        state.by_key.clear();
        std::mem::take(&mut state.items).into()
    }

    /// Has whoever waits for room look again.
    pub(crate) fn wake(&self) {
        let _state = self.state.lock();
        self.room.notify_all();
    }

    /// Puts what another queue had left to the front, in its order. What has been replaced meanwhile is added to `refused`.
    pub(crate) fn adopt(&self, left: Vec<Item>, refused: &mut Vec<Refused>) {
        let mut state = self.state.lock();
        state.taken += left.len();
        drop(state);
        self.put_back(&mut left.into(), refused);
    }

    /// Whether nothing comes and goes any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().mode == Mode::Closed
    }

    /// A descriptor that is readable while there is something to take, or the sink is to end.
    pub(crate) fn watch(&self) -> Option<OwnedFd> {
        let mut state = self.state.lock();
        if state.watched.is_none() {
            state.watched = Watched::new();
        }
        self.show(&mut state);
        state.watched.as_ref()?.give()
    }

    /// Something may be there to take, or the sink is to end.
    fn tell(&self, state: &mut State) {
        self.readable.notify_one();
        self.show(state);
    }

    /// Has the descriptor say how it is.
    fn show(&self, state: &mut State) {
        let is_ready = !state.items.is_empty() || state.is_reader_closed || state.mode != Mode::Open;
        if let Some(watched) = &mut state.watched {
            watched.tell(is_ready);
        }
    }
}

/// Waits for a notification; returns false if the time is over.
fn wait(event: &Condvar, state: &mut parking_lot::MutexGuard<'_, State>, deadline: Option<Instant>) -> bool {
    match deadline {
        None => {
            event.wait(state);
            true
        }
        Some(deadline) => !event.wait_until(state, deadline).timed_out(),
    }
}

#[cfg(test)]
mod tests;
