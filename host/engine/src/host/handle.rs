//! An embedder's handle to a plugin.

use hookrail_dispatch::Owner;

/// A loaded plugin. It stays the same through upgrades and rollbacks, until it is unloaded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginHandle {
    pub(super) name: String,
    pub(super) load: Owner,
}

impl PluginHandle {
    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
