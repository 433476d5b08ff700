//! The bounded queue before a sink.
//!
//! Sources put messages in, each on its own thread; one sink takes them out. What it has taken and not answered for is
//! beside the queue, and comes back to its front if the sink ends. Whole batches pass under one lock.

mod disk;
mod line;
mod passing;
mod spin;
mod state;

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hookrail_abi::DropKind;
use hookrail_engine::Actor;
use hookrail_model::pipeline::{DiskView, QueueConfig, QueuePolicy};
use hookrail_model::time::later;
use parking_lot::{Condvar, Mutex};

use crate::item::{Answered, Item, Refused};
use crate::marks::Changes;
use crate::spill::Spill;
use crate::watched::Watched;
use disk::Disk;
pub(crate) use state::Mode;
use state::State;

/// A sink that takes so many at once has more to come.
const BUSY: usize = 32;
/// So long after the system has refused to read, it is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    policy: QueuePolicy,
    state: Mutex<State>,
    /// There is something to take, or there never will be.
    readable: Condvar,
    /// There is room, or there never will be.
    room: Condvar,
    /// Held while it is made durable.
    flushing: Mutex<()>,
    /// For whoever is about to wait.
    hints: Hints,
}

/// What was so when somebody held the lock last.
#[derive(Debug, Default)]
struct Hints {
    has_some: AtomicBool,
    has_room: AtomicBool,
}

/// What a sink gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Closed,
    Nothing,
    Some,
}

impl Queue {
    /// A queue; for `spill`, with what was on disk before, and whom to tell that something is to be made durable.
    pub(crate) fn new(config: QueueConfig, spill: Option<(Spill, Arc<Changes>)>) -> Self {
        let (policy, disk) = (config.policy, spill.map(|(spill, changes)| Disk::new(spill, changes)));
        let state = Mutex::new(State { config, disk, ..State::default() });
        Queue {
            policy,
            state,
            readable: Condvar::new(),
            room: Condvar::new(),
            flushing: Mutex::default(),
            hints: Hints::default(),
        }
    }

    pub(crate) fn config(&self) -> QueueConfig {
        self.state.lock().config.clone()
    }

    /// Another size, from now on; the policy and the key are the same.
    pub(crate) fn resize(&self, config: &QueueConfig) {
        self.state.lock().config.clone_from(config);
        self.room.notify_all();
    }

    /// Waits until there is room for a message if the policy is to wait, until the time is over, or `is_over` returns true after
    /// [`wake`](Self::wake). Returns whether there is room.
    pub(crate) fn wait_for_room(&self, deadline: Option<Instant>, is_over: impl Fn() -> bool) -> bool {
        if !self.blocks() {
            return true;
        }
        let mut state = self.state.lock();
        // One source only: several would have the processor from each other, and not from the sink.
        if state.mode == Mode::Open && state.is_full() && state.is_busy && !state.is_looked_at {
            state.is_looked_at = true;
            drop(state);
            spin::until(&self.hints.has_room);
            state = self.state.lock();
            state.is_looked_at = false;
        }
        while state.mode == Mode::Open && state.is_full() {
            if is_over() || !wait(&self.room, &mut state, deadline) {
                return false;
            }
        }
        true
    }

    /// Whether its policy is that sources wait for room.
    pub(crate) fn blocks(&self) -> bool {
        matches!(self.policy, QueuePolicy::Block | QueuePolicy::Spill)
    }

    /// Whether sources are to wait for room which this thread is to make: it has taken messages last.
    pub(crate) fn waits_for_this_thread(&self) -> bool {
        if !self.blocks() {
            return false;
        }
        let state = self.state.lock();
        state.mode == Mode::Open && state.is_full() && state.taker == Some(Actor::current())
    }

    /// Puts messages in, in order. What has no place is added to `refused`. Does not wait: where the policy is to wait, the
    /// source has waited for room before, and its batch goes in whole.
    pub(crate) fn put(&self, items: &mut Vec<Item>, refused: &mut Vec<Refused>) {
        let mut state = self.state.lock();
        if state.mode != Mode::Open {
            refused.extend(items.drain(..).map(|item| (item, DropKind::Shutdown)));
            return;
        }
        match self.policy {
            QueuePolicy::Spill => state.spill(items, refused),
            QueuePolicy::Block => state.items.append(items),
            QueuePolicy::LatestPerKey => items.drain(..).for_each(|item| state.put_latest(item, refused)),
            QueuePolicy::DropOldest => items.drain(..).for_each(|item| state.put_newest(item, refused)),
            _ => items.drain(..).for_each(|item| state.put_if_room(item, refused)),
        }
        self.tell(&mut state);
    }

    /// Takes the next messages, `most` at most, and appends them to `taken`; waits for the first one until the deadline.
    pub(crate) fn take(
        &self,
        reader: u64,
        most: usize,
        deadline: Option<Instant>,
        taken: &mut VecDeque<Item>,
    ) -> Taken {
        let mut state = self.state.lock();
        loop {
            if state.is_over(reader) {
                return Taken::Closed;
            }
            state.refill();
            if !state.items.is_empty() {
                break;
            }
            // What it has taken may be too little for what it does with it.
            self.room.notify_all();
            if std::mem::take(&mut state.is_busy) {
                drop(state);
                spin::until(&self.hints.has_some);
                state = self.state.lock();
                continue;
            }
            // What cannot be read now is tried again.
            let again = state.has_some().then(|| later(Instant::now(), AGAIN));
            let until = [again, deadline].into_iter().flatten().min();
            if !wait(&self.readable, &mut state, until) && until == deadline {
                return Taken::Nothing;
            }
        }
        let before = taken.len();
        while taken.len() - before < most
            && let Some(item) = state.take_first()
        {
            state.taken += item.load();
            taken.push_back(item);
        }
        state.taker = Some(Actor::current());
        state.is_busy = taken.len() - before >= BUSY;
        self.hint(&state);
        self.show(&mut state);
        if taken.len() > before { Taken::Some } else { Taken::Nothing }
    }

    /// What was taken and is answered for now.
    pub(crate) fn answered(&self, answered: &Answered) {
        let mut state = self.state.lock();
        state.taken -= answered.load;
        if let Some(disk) = &mut state.disk {
            disk.answered(answered);
        }
        self.hint(&state);
        // What is on disk may have room in memory now.
        self.show(&mut state);
        // Not for each message: whoever waits has many. One at a time, in turn: all at once would take each other's place.
        if state.has_much_room() {
            self.room.notify_one();
        }
        // A sink that drains waits for its last messages, and so does whoever waits for it.
        if state.mode == Mode::Draining {
            self.readable.notify_all();
        }
    }

    /// Puts what was taken back to the front, in its order. What has been replaced meanwhile is added to `refused`.
    pub(crate) fn put_back(&self, taken: &mut VecDeque<Item>, refused: &mut Vec<Refused>) {
        let mut state = self.state.lock();
        state.put_back(taken, refused);
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

    /// The endpoint of the sink is to end.
    pub(crate) fn close_reader(&self) {
        let mut state = self.state.lock();
        state.is_reader_closed = true;
        self.tell(&mut state);
        self.readable.notify_all();
    }

    /// Another endpoint of the sink takes messages from now on.
    pub(crate) fn open_reader(&self) {
        let mut state = self.state.lock();
        state.is_reader_closed = false;
        state.reader += 1;
        self.tell(&mut state);
    }

    /// The number of the endpoint that takes messages now.
    pub(crate) fn reader(&self) -> u64 {
        self.state.lock().reader
    }

    /// Waits until that endpoint is to end, or the time is over; returns whether it is.
    pub(crate) fn wait_until_closed(&self, reader: u64, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.is_over(reader) {
            if !wait(&self.readable, &mut state, Some(deadline)) {
                return state.is_over(reader);
            }
        }
        true
    }

    /// How many messages are in it, or taken and not answered for.
    pub(crate) fn held(&self) -> usize {
        let state = self.state.lock();
        state.disk.as_ref().map_or_else(|| state.load().messages, Disk::held)
    }

    /// How much memory its messages take, in bytes.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.state.lock().load().bytes
    }

    /// Whether a sink that drains has nothing more to do: what is on disk is for the next time.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.state.lock();
        state.taken.messages == 0 && (state.items.is_empty() || state.disk.is_some())
    }

    /// How it is on disk, if it is.
    pub(crate) fn disk(&self) -> Option<DiskView> {
        let state = self.state.lock();
        state.disk.as_ref().map(|disk| disk.view(state.config.size()))
    }

    /// Takes all that is left, and is not on disk, once it is closed.
    pub(crate) fn clear(&self) -> Vec<Item> {
        let mut state = self.state.lock();
        state.by_key.clear();
        let mut left = state.items.take();
        if let Some(disk) = &mut state.disk {
            disk.clear(&mut left);
        }
        left.into()
    }

    /// Makes durable what is on disk. Waits for the disk, and holds up nobody.
    pub(crate) fn flush(&self) {
        let _flushing = self.flushing.lock();
        let mut state = self.state.lock();
        let Some(mut flush) = state.flush() else { return };
        self.tell(&mut state);
        self.room.notify_all();
        drop(state);
        let flushed = flush.run();
        if let Some(disk) = &mut self.state.lock().disk {
            disk.flushed(flush, flushed);
        }
    }

    /// Has whoever waits for room look again.
    pub(crate) fn wake(&self) {
        let _state = self.state.lock();
        self.room.notify_all();
    }

    /// Puts what another queue had left to the front, in its order. What has been replaced meanwhile is added to `refused`.
    pub(crate) fn adopt(&self, left: Vec<Item>, refused: &mut Vec<Refused>) {
        let mut state = self.state.lock();
        state.taken += left.iter().map(Item::load).sum();
        if let Some(disk) = &mut state.disk {
            disk.adopted(left.len());
        }
        state.put_back(&mut left.into(), refused);
        self.tell(&mut state);
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
        self.hint(state);
        self.readable.notify_one();
        self.show(state);
    }

    /// For whoever is about to wait, and looks before that.
    fn hint(&self, state: &State) {
        // Relaxed: whoever sees it takes the lock, and looks again.
        let is_open = state.mode == Mode::Open;
        self.hints.has_some.store(!state.items.is_empty() || !is_open || state.is_reader_closed, Ordering::Relaxed);
        self.hints.has_room.store(state.has_much_room() || !is_open, Ordering::Relaxed);
    }

    /// Has the descriptor say how it is.
    fn show(&self, state: &mut State) {
        let is_ready = state.has_some() || state.is_reader_closed || state.mode != Mode::Open;
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
