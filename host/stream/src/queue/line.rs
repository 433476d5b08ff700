//! Messages in order, and what they weigh together.

use std::collections::VecDeque;

use crate::item::Item;
use crate::load::Load;

/// A part of a queue.
///
/// # Invariants
/// `load` is that of the items.
#[derive(Debug, Default)]
pub(super) struct Line {
    items: VecDeque<Item>,
    load: Load,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn load(&self) -> Load {
        self.load
    }

    pub(super) fn push_back(&mut self, item: Item) {
        self.load += item.load();
        self.items.push_back(item);
    }

    pub(super) fn push_front(&mut self, item: Item) {
        self.load += item.load();
        self.items.push_front(item);
    }

    pub(super) fn pop_front(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.load -= item.load();
        Some(item)
    }

    /// Adds all of them, which are left empty.
    pub(super) fn append(&mut self, items: &mut Vec<Item>) {
        self.load += items.iter().map(Item::load).sum();
        self.items.extend(items.drain(..));
    }

    /// Puts an item in the place of another one, which is returned.
    pub(super) fn replace(&mut self, place: usize, item: Item) -> Item {
        self.load += item.load();
        let old = std::mem::replace(&mut self.items[place], item);
        self.load -= old.load();
        old
    }

    /// All of them; none is left.
    pub(super) fn take(&mut self) -> VecDeque<Item> {
        self.load = Load::default();
        std::mem::take(&mut self.items)
    }
}
