//! An embedder's handle to a plugin.

use hookrail_dispatch::Owner;

/// A loaded plugin. The handle stays valid through upgrades and rollbacks, until the plugin is unloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    pub(super) name: String,
    pub(super) load: Owner,
}

impl Plugin {
    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
