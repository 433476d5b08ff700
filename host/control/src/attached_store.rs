//! A host's store, if it has one.

use hookrail_store::Store;

/// The store of a host.
#[derive(Debug)]
pub(crate) struct AttachedStore {
    pub(crate) store: Store,
    /// Whether enabled plugins are loaded.
    pub(crate) is_live: bool,
    /// Whether it keeps the configurations that plugins write themselves.
    pub(crate) is_kept: bool,
}
