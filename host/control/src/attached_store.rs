//! A host's store, while it has one.

use hookrail_store::Store;

/// The store of a host.
#[derive(Debug)]
pub(crate) struct AttachedStore {
    pub(crate) store: Store,
    /// Whether what is enabled is loaded.
    pub(crate) is_live: bool,
}
