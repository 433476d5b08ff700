//! Waiting under one of `parking_lot`'s mutexes.

use std::sync::{self, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

/// A condition variable that keeps no list of who waits.
///
/// `parking_lot`'s own has one, for the whole process, and what stands in it lies in the threads that
/// wait. The child of a fork has the list, and not the threads: the system gives their stacks to
/// threads that the child starts, and then the list leads in a circle. The standard library's has a
/// number only, but wants its own mutex: that one is held to pass on a turn, and never to wait.
#[derive(Debug, Default)]
pub struct Condvar {
    /// How often it was notified.
    turn: sync::Mutex<u64>,
    changed: sync::Condvar,
}

impl Condvar {
    /// Wakes all that wait.
    pub fn notify_all(&self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn = turn.wrapping_add(1);
        self.changed.notify_all();
    }

    /// Whether somebody is just passing on a turn, or looking which one it is.
    pub fn is_held(&self) -> bool {
        matches!(self.turn.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Keeps others from passing on a turn: for tests of what a fork finds held.
    #[doc(hidden)]
    pub fn hold(&self) -> sync::MutexGuard<'_, u64> {
        self.turn.lock().unwrap()
    }

    /// Lets go of the mutex until it is notified, or the time is over.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>, until: Option<Instant>) {
        // Before the mutex is let go of: whoever changes something after that makes this an old turn.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = *turn;
        let is_same = |turn: &mut u64| *turn == seen;
        MutexGuard::unlocked(guard, || match until.map(|until| until.saturating_duration_since(Instant::now())) {
            None => drop(self.changed.wait_while(turn, is_same)),
            Some(left) => drop(self.changed.wait_timeout_while(turn, left, is_same)),
        });
    }

    /// Waits for as long as that is so, or until the time is over.
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

/// That long from now. Whoever says `Duration::MAX` means for ever, which the clock cannot hold.
pub fn deadline_after(time: Duration) -> Instant {
    const FOREVER: Duration = Duration::from_secs(1 << 32);
    Instant::now() + time.min(FOREVER)
}
