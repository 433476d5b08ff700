//! The names of instances.

/// The instance name of the host's own callbacks; no plugin may have this name.
pub const HOST: &str = "hookrail";

/// The plugin of an instance: `mask` for `mask:logs`.
pub fn plugin_of(instance: &str) -> &str {
    instance.split_once(':').map_or(instance, |(plugin, _)| plugin)
}
