//! What has happened to a unit and was not taken yet.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use hookrail_dispatch::{Condvar, deadline_after};
use hookrail_model::log;
use parking_lot::Mutex;
use rustix::event::{EventfdFlags, eventfd};

use super::event::UnitEvent;

/// How many orders and starts may wait to be taken: a plugin that takes none of them is not to fill the memory.
const MOST: usize = 64;

/// What has happened to a unit, in its order, until the plugin takes it.
///
/// # Invariants
/// The descriptor is readable if and only if something is in the queue, or the unit is gone. Nothing comes behind
/// [`UnitEvent::Gone`].
#[derive(Debug)]
pub struct UnitInbox {
    state: Mutex<State>,
    /// Signalled when something has happened.
    happened: Condvar,
    /// An event counter.
    readable: OwnedFd,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<(UnitEvent, Vec<OwnedFd>)>,
    is_gone: bool,
    is_closed: bool,
}

/// What came of waiting.
#[derive(Debug)]
pub enum Next {
    /// The unit is over.
    Gone,
    /// That has happened.
    Happened(UnitEvent, Vec<OwnedFd>),
    /// Nothing, in that time.
    Nothing,
}

impl UnitInbox {
    /// An empty one.
    ///
    /// # Errors
    /// If this process can have no more descriptors.
    pub fn new() -> io::Result<Self> {
        let readable = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(UnitInbox { state: Mutex::default(), happened: Condvar::default(), readable })
    }

    /// Puts in what has happened, with the descriptors that belong to it. Returns whether it was taken: a start or an
    /// order is not, if too many wait, nor is a start without its two descriptors, since a process may have no room for
    /// those that come to it; and nothing is when the unit is gone.
    pub fn put(&self, event: UnitEvent, descriptors: Vec<OwnedFd>) -> bool {
        let mut state = self.state.lock();
        let may_wait = !matches!(event, UnitEvent::Order { .. } | UnitEvent::Started { .. });
        let is_whole = !matches!(event, UnitEvent::Started { .. }) || descriptors.len() == 2;
        let is_taken = event == UnitEvent::Gone || !state.is_closed && (may_wait || state.queue.len() < MOST);
        if state.is_gone || !is_whole || !is_taken {
            return false;
        }
        match event {
            UnitEvent::Gone => state.is_gone = true,
            event => state.queue.push_back((event, descriptors)),
        }
        if let Err(error) = rustix::io::write(&self.readable, &1_u64.to_ne_bytes()) {
            log!(error, "a plugin may not hear what happens to its unit: {error}");
        }
        self.happened.notify_all();
        true
    }

    /// Nobody takes anything any more; only that the unit is gone is still put in.
    pub fn close(&self) {
        self.state.lock().is_closed = true;
    }

    /// Takes what has happened next; waits for it, but not longer than that.
    pub fn next(&self, limit: Duration) -> Next {
        let deadline = deadline_after(limit);
        let mut state = self.state.lock();
        let is_empty = |state: &mut State| state.queue.is_empty() && !state.is_gone;
        self.happened.wait_while(&mut state, is_empty, Some(deadline));
        let Some((event, descriptors)) = state.queue.pop_front() else {
            return if state.is_gone { Next::Gone } else { Next::Nothing };
        };
        if is_empty(&mut state) {
            // It is empty already if that fails.
            let _ = rustix::io::read(&self.readable, &mut [0; 8]);
        }
        Next::Happened(event, descriptors)
    }

    /// Waits until the unit is gone.
    pub fn wait_until_gone(&self) {
        let mut state = self.state.lock();
        self.happened.wait_while(&mut state, |state| !state.is_gone, None);
    }

    /// Whether the unit is gone.
    pub fn is_gone(&self) -> bool {
        self.state.lock().is_gone
    }

    /// A copy of the descriptor that is readable while there is something to take.
    ///
    /// # Errors
    /// If this process can have no more descriptors.
    pub fn watch(&self) -> io::Result<OwnedFd> {
        self.readable.as_fd().try_clone_to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::super::event::UnitOrder;
    use super::*;

    fn is_readable(inbox: &UnitInbox) -> bool {
        let mut polled = [PollFd::new(&inbox.readable, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec::default())).unwrap() == 1
    }

    #[test]
    fn its_descriptor_is_readable_while_there_is_something_to_take() {
        let inbox = UnitInbox::new().unwrap();
        assert!(!is_readable(&inbox) && matches!(inbox.next(Duration::ZERO), Next::Nothing));
        let two = || vec![inbox.watch().unwrap(), inbox.watch().unwrap()];
        assert!(!inbox.put(UnitEvent::Started { run: 1 }, Vec::new()), "it was started without its descriptors");
        assert!(inbox.put(UnitEvent::Started { run: 1 }, two()) && inbox.put(UnitEvent::Failed, Vec::new()));
        assert!(matches!(inbox.next(Duration::MAX), Next::Happened(UnitEvent::Started { run: 1 }, _)));
        assert!(is_readable(&inbox));
        assert!(matches!(inbox.next(Duration::MAX), Next::Happened(UnitEvent::Failed, _)));
        assert!(!is_readable(&inbox));
        assert!(inbox.put(UnitEvent::Gone, Vec::new()) && !inbox.put(UnitEvent::Failed, Vec::new()));
        for _ in 0..2 {
            assert!(matches!(inbox.next(Duration::MAX), Next::Gone) && is_readable(&inbox) && inbox.is_gone());
        }
        inbox.wait_until_gone();
    }

    #[test]
    fn a_plugin_that_takes_nothing_fills_no_memory() {
        let inbox = UnitInbox::new().unwrap();
        let order = UnitEvent::Order { run: 1, number: 1, order: UnitOrder::Ping };
        let taken = (0..1000).filter(|_| inbox.put(order.clone(), Vec::new())).count();
        assert_eq!(taken, MOST);
        assert!(inbox.put(UnitEvent::Failed, Vec::new()), "what ends something is always taken");
    }
}
