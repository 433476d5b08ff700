//! What services keep for an instance: what the plugin has addresses of.

use std::any::Any;
use std::collections::BTreeMap;

/// What the plugin has an address of.
pub trait Keepsake: Any + Send {
    /// The instance has been stopped and destroyed. Threads of the plugin that have outlived it may still use this, also
    /// now, so it stays; what it holds for the instance is given up.
    fn retire(&self) {}
}

/// What is kept for one instance, by the ids of the registrations that it came with.
#[derive(Default)]
pub(crate) struct Kept {
    /// For the life that the instance has now.
    now: BTreeMap<u64, Box<dyn Keepsake>>,
    /// For those before, whose threads may not have ended.
    before: BTreeMap<u64, Box<dyn Keepsake>>,
}

impl Kept {
    /// How much the instance has now.
    pub(super) fn count(&self) -> usize {
        self.now.len()
    }

    pub(super) fn add(&mut self, id: u64, kept: Box<dyn Keepsake>) {
        self.now.insert(id, kept);
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Box<dyn Keepsake>> {
        self.now.remove(&id).or_else(|| self.before.remove(&id))
    }

    /// The id of one that is meant by `is_it`.
    pub(super) fn find<T: 'static>(&self, is_it: impl Fn(&T) -> bool) -> Option<u64> {
        let is_it = |kept: &dyn Keepsake| (kept as &dyn Any).downcast_ref().is_some_and(&is_it);
        self.now.iter().chain(&self.before).find(|(_, kept)| is_it(&***kept)).map(|(id, _)| *id)
    }

    /// The instance has been stopped and destroyed.
    pub(crate) fn retire(&mut self) {
        self.now.values().for_each(|kept| kept.retire());
        self.before.append(&mut self.now);
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("now", &self.now.keys()).field("before", &self.before.keys()).finish()
    }
}
