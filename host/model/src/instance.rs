//! The names of instances.

/// What the host's own callbacks go by: no plugin has that name.
pub const HOST: &str = "hookrail";

/// The plugin of an instance: `mask` of `mask:logs`.
pub fn plugin_of(instance: &str) -> &str {
    instance.split_once(':').map_or(instance, |(plugin, _)| plugin)
}
