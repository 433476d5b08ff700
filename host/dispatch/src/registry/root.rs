//! The chains of all points at one instant.

use std::ptr::NonNull;

use crate::chain::{Chain, Published};

/// Every point's chain as the last transaction published it.
///
/// # Invariants
/// Each snapshot was published by the chain beside it, and is retired no earlier than this.
#[derive(Debug, Default)]
pub(crate) struct Root(Vec<(*const Chain, Published)>);

// SAFETY: the chains are only compared by address, and snapshots are read by whoever is inside.
unsafe impl Send for Root {}
// SAFETY: a shared root is only read, and its chains are only compared by address.
unsafe impl Sync for Root {}

impl Root {
    /// The root of the chains as they are now; the caller holds the writers' lock.
    pub(crate) fn of<'a>(chains: impl Iterator<Item = &'a Chain>) -> Self {
        let mut root: Vec<_> = chains.map(|chain| (std::ptr::from_ref(chain), chain.load())).collect();
        root.sort_by_key(|(chain, _)| chain.addr());
        // INVARIANT: no other writer publishes meanwhile, and a writer retires the root with the snapshots that it
        // replaces.
        Root(root)
    }

    /// What was published for that chain; the empty snapshot if the chain was declared later or belongs to another
    /// host.
    pub(crate) fn find(&self, chain: &Chain) -> Published {
        let found = self.0.binary_search_by_key(&std::ptr::from_ref(chain).addr(), |(chain, _)| chain.addr());
        found.map_or(Published::empty(), |index| self.0[index].1)
    }
}

/// A root that is no longer published. It is no box yet: moving a box says that nobody else refers to its content, and
/// pins still do.
///
/// # Invariants
/// It came from a box, and nobody else frees it.
pub(crate) struct FormerRoot(NonNull<Root>);

// SAFETY: it owns a root, which may be sent.
unsafe impl Send for FormerRoot {}

impl FormerRoot {
    /// # Safety
    /// The root came from a box, which the caller owns; nobody refers to it any more when this is dropped.
    pub(crate) unsafe fn new(root: NonNull<Root>) -> Self {
        // INVARIANT: the caller promises it.
        FormerRoot(root)
    }
}

impl Drop for FormerRoot {
    fn drop(&mut self) {
        // SAFETY: by the type invariant it came from a box, and its readers have left.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}
