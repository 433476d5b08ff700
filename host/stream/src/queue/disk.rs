//! What a queue with the policy `spill` has on disk, and what could not be written.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use hookrail_model::log;
use hookrail_model::pipeline::{DiskView, QueueConfig};

use super::line::Line;
use crate::item::{Answered, Item, Kept, Refused};
use crate::marks::Changes;
use crate::spill::{Flush, Spill};

#[derive(Debug)]
pub(super) struct Disk {
    pub(super) spill: Spill,
    changes: Arc<Changes>,
    /// What could not be written.
    pub(super) behind: Line,
    /// How many among the items and what was taken are not on disk.
    pub(super) in_memory: usize,
    /// How many messages were lost because their records are damaged.
    pub(super) lost: u64,
    pub(super) is_failing: bool,
    pub(super) is_unreadable: bool,
}

impl Disk {
    pub(super) fn new(spill: Spill, changes: Arc<Changes>) -> Self {
        let (behind, in_memory, lost) = (Line::default(), 0, 0);
        Disk { spill, changes, behind, in_memory, lost, is_failing: false, is_unreadable: false }
    }

    pub(super) fn held(&self) -> usize {
        self.spill.held() + self.behind.len() + self.in_memory
    }

    /// Whether there is something that is not among the items.
    pub(super) fn has_some(&self) -> bool {
        self.spill.waiting() > 0 || !self.behind.is_empty()
    }

    /// Whether there is no room on the disk.
    pub(super) fn is_full(&self, config: &QueueConfig) -> bool {
        self.spill.size() >= config.size()
    }

    pub(super) fn view(&self, size: u64) -> DiskView {
        let mut view = DiskView::new(self.spill.size(), size);
        (view.damaged, view.lost) = (self.spill.damaged(), self.lost);
        view
    }

    pub(super) fn answered(&mut self, answered: &Answered) {
        self.in_memory -= answered.load.messages - answered.from_disk;
        if let Some(place) = answered.place {
            self.then_flush(|spill| spill.answer(place));
        }
    }

    /// So many that are not on disk come to the items.
    pub(super) fn adopted(&mut self, count: usize) {
        self.in_memory += count;
    }

    /// Leaves those that are on disk there, for the next time.
    pub(super) fn clear(&mut self, items: &mut VecDeque<Item>) {
        items.retain(|item| matches!(item.kept, Kept::Source(_)));
        self.in_memory -= items.len();
        items.extend(self.behind.take());
        self.spill.rewind();
    }

    #[cfg(test)]
    pub(super) fn spill_mut(&mut self) -> &mut Spill {
        &mut self.spill
    }

    /// What came of making it durable.
    pub(super) fn flushed(&mut self, flush: Flush, flushed: io::Result<()>) {
        if let Err(error) = flushed {
            self.failed(&error);
            self.then_flush(|spill| spill.flush_again(flush));
        }
    }

    /// Writes what waits to be written; returns it, unless it could not be.
    pub(super) fn write(&mut self, refused: &mut Vec<Refused>) -> Vec<Item> {
        let mut items = Vec::from(self.behind.take());
        match self.then_flush(|spill| spill.append(&mut items, refused)) {
            Ok(()) => {
                if std::mem::take(&mut self.is_failing) {
                    log!(info, "{}: it can be written again", self.spill.directory().display());
                }
                items
            }
            Err(error) => {
                self.failed(&error);
                self.behind.append(&mut items);
                // It is tried again then.
                self.changes.tell();
                Vec::new()
            }
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.is_failing, true) {
            let directory = self.spill.directory().display();
            log!(
                error,
                "{directory}: the queue cannot be written, so its sources wait as if it were in memory: {error}"
            );
        }
    }

    /// Does that, and tells whoever makes it durable if it is the first thing to do.
    pub(super) fn then_flush<R>(&mut self, act: impl FnOnce(&mut Spill) -> R) -> R {
        let was_due = self.spill.is_flush_due();
        let done = act(&mut self.spill);
        if !was_due && self.spill.is_flush_due() {
            self.changes.tell();
        }
        done
    }
}
