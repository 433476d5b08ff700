//! The callbacks that a configuration overrides.

use hookrail::{CallbackOverride, ConfigError, Host, PluginView};

use crate::nearest::nearest;

/// Refuses overrides of callbacks that a loaded plugin does not declare: a misspelt `fault_policy = "closed"` would be a
/// filter that is open. Of plugins that are not loaded, it only warns.
pub(crate) fn check(host: &Host) -> Result<(), ConfigError> {
    let plugins = host.plugin_views();
    for unused in host.unused_overrides() {
        let (instance, name) = unused.callback.split_once('/').unwrap_or((&unused.callback, ""));
        let runs = |plugin: &&PluginView| plugin.instances.iter().any(|running| running == instance);
        let Some(plugin) = plugins.iter().find(runs) else {
            let CallbackOverride { callback, point, .. } = unused;
            tracing::warn!("[[overrides]] overrides {callback} on {point}, but its plugin is not loaded");
            continue;
        };
        let there = plugin.declared.iter().filter(|hook| hook.point == unused.point);
        let there: Vec<_> = there.map(|hook| &*hook.name).collect();
        // One that the instance leaves out is none that is misspelt.
        if !there.contains(&name) {
            let config = host.config();
            let key = config.key_of_override(&unused.point, &unused.callback).unwrap_or_default();
            let error = ConfigError::invalid_value(format!("{key}.callback"), why(unused, instance, name, &there));
            return Err(config.located(error));
        }
    }
    Ok(())
}

fn why(unused: &CallbackOverride, instance: &str, name: &str, there: &[&str]) -> String {
    let what = format!("is about `{}` on {}, which is not there", unused.callback, unused.point);
    let id = |name: &str| format!("`{instance}/{name}`");
    match nearest(name, there) {
        Some(near) => format!("{what}, but {} is", id(near)),
        None if there.is_empty() => format!("{what}: `{instance}` has no callback on that point"),
        None => format!("{what}, but {}", there.iter().map(|name| id(name)).collect::<Vec<_>>().join(", ")),
    }
}
