//! Which lanes of a region are taken on this side.

/// A lane that no call is pending on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Idle {
    pub(super) index: usize,
    /// What its turn stands at.
    pub(super) word: u32,
    /// How far its ring is written.
    pub(super) written: u32,
}

/// # Invariants
/// Every lane below `reached` is taken, or in `free` once, or was abandoned.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Lanes that were given back.
    free: Vec<Idle>,
    reached: usize,
    /// Lanes that a worker serves, which takes them by their numbers.
    served: Vec<usize>,
    is_closed: bool,
}

impl Pool {
    /// Takes a lane that was given back, or else the next one of `lanes`.
    pub(super) fn take(&mut self, lanes: usize) -> Option<Idle> {
        if self.is_closed {
            return None;
        }
        self.free.pop().or_else(|| {
            let index = self.reached;
            (index < lanes).then(|| {
                self.reached += 1;
                Idle { index, ..Idle::default() }
            })
        })
    }

    /// Takes the lane with this number, once.
    pub(super) fn take_at(&mut self, index: usize) -> bool {
        if self.is_closed || self.served.contains(&index) {
            return false;
        }
        self.served.push(index);
        self.reached = self.reached.max(index + 1);
        true
    }

    pub(super) fn give_back(&mut self, lane: Idle) {
        self.free.push(lane);
    }

    /// No lane can be taken any more.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Lanes from this number on were never taken.
    pub(super) fn reached(&self) -> usize {
        self.reached
    }
}
