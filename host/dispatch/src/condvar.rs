//! Waiting with a `parking_lot` mutex.

use std::sync::{self, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use hookrail_model::time::later;
use parking_lot::MutexGuard;

/// A condition variable that keeps no list of waiting threads.
///
/// `parking_lot`'s own has one list for the whole process, and its nodes are on the stacks of the waiting threads. The
/// child of a fork has the list but not the threads: the system reuses their stacks for threads that the child starts,
/// and then the list becomes circular. The standard library's has only a number, but requires its own mutex. That mutex
/// is held here only to advance the turn, never to wait.
#[derive(Debug, Default)]
pub struct Condvar {
    /// How many times it has been notified.
    turn: sync::Mutex<u64>,
    changed: sync::Condvar,
}

impl Condvar {
    /// Wakes all waiting threads.
    pub fn notify_all(&self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn = turn.wrapping_add(1);
        self.changed.notify_all();
    }

    /// Whether a thread is advancing or reading the turn right now.
    pub fn is_held(&self) -> bool {
        matches!(self.turn.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Keeps other threads from advancing the turn: for tests of what a fork finds locked.
    #[doc(hidden)]
    pub fn hold(&self) -> sync::MutexGuard<'_, u64> {
        self.turn.lock().unwrap()
    }

    /// Releases the mutex until it is notified, or until `until`.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>, until: Option<Instant>) {
        // Before the mutex is released: a change made after that makes this turn an old one.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = *turn;
        let is_same = |turn: &mut u64| *turn == seen;
        MutexGuard::unlocked(guard, || match until.map(|until| until.saturating_duration_since(Instant::now())) {
            None => drop(self.changed.wait_while(turn, is_same)),
            Some(left) => drop(self.changed.wait_timeout_while(turn, left, is_same)),
        });
    }

    /// Waits while `condition` holds, or until `until`.
    pub fn wait_while<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut is_so: impl FnMut(&mut T) -> bool,
        until: Option<Instant>,
    ) {
        while is_so(guard) && until.is_none_or(|until| Instant::now() < until) {
            self.wait(guard, until);
        }
    }
}

/// The time `time` from now. `Duration::MAX` means forever, which the clock cannot represent.
pub fn deadline_after(time: Duration) -> Instant {
    later(Instant::now(), time)
}
