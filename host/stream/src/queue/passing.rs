//! How messages of a queue with the policy `spill` pass through memory.
//!
//! Each message is written when it comes. While everything before it is among the queue's items, and there is room among
//! them, it is put there, too, and never read; else it is read when its turn comes. If it cannot be written, it waits behind
//! the others, and is kept by its source as under `block`.

use hookrail_model::log;

use super::state::{State, has_room};
use crate::item::{Item, Refused};
use crate::spill::Flush;

/// So many messages are read at once.
const READ: usize = 256;

impl State {
    /// Writes messages, which are left empty.
    pub(super) fn spill(&mut self, items: &mut Vec<Item>, refused: &mut Vec<Refused>) {
        let Some(disk) = &mut self.disk else { return };
        disk.behind.append(items);
        self.write(refused);
    }

    fn write(&mut self, refused: &mut Vec<Refused>) {
        let Some(disk) = &mut self.disk else { return };
        let is_all_out = disk.spill.waiting() == 0;
        let written = disk.write(refused);
        if is_all_out {
            for item in written {
                if !has_room(&self.config, self.items.load() + self.taken) {
                    break;
                }
                disk.spill.skip_to(&item);
                self.items.push_back(item);
            }
        }
    }

    /// Has something among the items, if there is something, and room beside what was taken.
    pub(super) fn refill(&mut self) {
        let is_due = self.items.is_empty() && self.may_refill();
        let Some(disk) = self.disk.as_mut().filter(|_| is_due) else { return };
        if disk.spill.waiting() > 0 {
            let enough = self.config.memory - self.taken.bytes;
            match disk.then_flush(|spill| spill.read(READ, enough)) {
                Ok((mut items, lost)) => {
                    self.items.append(&mut items);
                    disk.lost += lost;
                    disk.is_unreadable = false;
                }
                Err(error) => {
                    if !std::mem::replace(&mut disk.is_unreadable, true) {
                        log!(error, "{}: the queue cannot be read: {error}", disk.spill.directory().display());
                    }
                }
            }
        }
        if self.items.is_empty() && disk.spill.waiting() == 0 {
            disk.in_memory += disk.behind.len();
            self.items.append(&mut disk.behind.take().into());
        }
    }

    /// Whether there is room for something that is not in memory. A sink that never answers is not to have all that is on
    /// disk in memory.
    pub(super) fn may_refill(&self) -> bool {
        has_room(&self.config, self.taken)
    }

    /// What is to be made durable, if anything is.
    pub(super) fn flush(&mut self) -> Option<Flush> {
        let mut refused = Vec::new();
        if self.disk.as_ref().is_some_and(|disk| !disk.behind.is_empty()) {
            self.write(&mut refused);
        }
        self.disk.as_mut()?.spill.flush()
    }
}
