//! The proxies of a worker that stand in chains.

use std::collections::BTreeSet;

use parking_lot::{RwLock, RwLockReadGuard};

/// Their addresses.
///
/// # Invariants
/// Each is that of a proxy, which is not dropped before it is taken out.
#[derive(Default)]
pub(super) struct Standing(RwLock<BTreeSet<usize>>);

impl Standing {
    /// # Safety
    /// The proxy is taken out before it is dropped.
    pub(super) unsafe fn add<P>(&self, proxy: *const P) {
        // INVARIANT: the caller promises it.
        self.0.write().insert(proxy as usize);
    }

    pub(super) fn remove<P>(&self, proxy: *const P) {
        self.0.write().remove(&(proxy as usize));
    }

    /// None of them is dropped meanwhile.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeSet<usize>> {
        self.0.read()
    }
}
