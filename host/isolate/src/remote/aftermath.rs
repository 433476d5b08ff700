//! What is still being done for processes that have ended, by threads of its own: it holds what such a process had.

use std::sync::Arc;
use std::time::Duration;

use hookrail_dispatch::{Condvar, deadline_after};
use parking_lot::Mutex;

/// How much there is of it.
#[derive(Default)]
pub(super) struct Aftermath {
    due: Mutex<usize>,
    /// Signalled when there is less.
    changed: Condvar,
}

/// One of these things. Dropped, it is done.
pub(super) struct Due(Arc<Aftermath>);

impl Aftermath {
    /// One more is due. To be called before anybody hears of the end, since they may wait for it.
    pub(super) fn begin(self: &Arc<Self>) -> Due {
        *self.due.lock() += 1;
        Due(self.clone())
    }

    /// Waits until all is done, but not longer than a disk may take.
    pub(super) fn wait(&self) {
        let mut due = self.due.lock();
        self.changed.wait_while(&mut due, |due| *due > 0, Some(deadline_after(Duration::from_secs(10))));
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        *self.0.due.lock() -= 1;
        self.0.changed.notify_all();
    }
}
