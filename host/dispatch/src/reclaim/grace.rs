//! Waiting until all readers that may hold an unlinked object have left.

use super::slot::Slot;
use crate::sync::{heavy_fence, is_asymmetric};

/// The readers that were inside when something had been unlinked.
#[derive(Debug)]
pub struct Grace<'a> {
    waiting: Vec<(&'a Slot, u64)>,
    /// The kernel refused the fence: nothing is known about readers, so the wait never ends.
    unknown: bool,
}

impl<'a> Grace<'a> {
    /// Begins after an unlinking, over all slots. Makes at most two system calls, and does not wait.
    pub(crate) fn begin<I: Iterator<Item = &'a Slot>>(slots: impl FnOnce() -> I) -> Self {
        let unknown = !heavy_fence();
        let waiting = slots().filter_map(|slot| slot.inside().map(|sequence| (slot, sequence))).collect();
        Grace { waiting, unknown }
    }

    /// Whether all of them have left since.
    pub fn is_over(&mut self) -> bool {
        self.waiting.retain(|(slot, sequence)| slot.inside() == Some(*sequence));
        self.waiting.is_empty() && !self.unknown
    }

    /// How many are still inside.
    pub fn readers(&self) -> usize {
        self.waiting.len() + usize::from(self.unknown)
    }

    /// How many of those still inside are, or may be, in an entry that `retired` recognises, whose code has already
    /// been overwritten. Issues the heavy fence.
    pub fn readers_in(&mut self, retired: impl Fn(*mut ()) -> bool) -> usize {
        self.waiting.retain(|(slot, sequence)| slot.inside() == Some(*sequence));
        // Where readers issue the fence themselves, they do so on entering, not before each callback: then a frame
        // proves nothing, and all readers count.
        if !is_asymmetric() || !heavy_fence() {
            return self.readers();
        }
        self.waiting.iter().filter(|(slot, _)| slot.is_in(&retired)).count() + usize::from(self.unknown)
    }
}
