//! What a pipeline's configuration must be.

use hookrail_abi::name::is_plain;
use hookrail_model::error::{ConfigError, Error};
use hookrail_model::pipeline::{PipelineConfig, QueueConfig, QueuePolicy};

/// Refuses what can never run.
pub(super) fn check(name: &str, config: &PipelineConfig) -> Result<(), Error> {
    let invalid = |key: String, why: &str| Err(ConfigError::invalid_value(key, why).into());
    let key = format!("pipelines.{name}");
    let named =
        config.sources.keys().map(|name| ("sources", name)).chain(config.sinks.keys().map(|name| ("sinks", name)));
    for (kind, of) in named.clone() {
        if !is_plain(of) || of.starts_with('.') {
            return invalid(
                format!("{key}.{kind}.{of}"),
                "has a name that is not made of letters, digits, `-`, `_` and `.`",
            );
        }
    }
    if !is_plain(name) || name.starts_with('.') {
        return invalid(key, "has a name that is not made of letters, digits, `-`, `_` and `.`");
    }
    if config.sources.is_empty() || config.sinks.is_empty() {
        return invalid(
            key,
            "needs at least one source and one sink: [pipelines.NAME.sources.NAME], [pipelines.NAME.sinks.NAME]",
        );
    }
    let uses = config.sources.values().map(|source| &source.uses).chain(config.sinks.values().map(|sink| &sink.uses));
    for ((kind, of), uses) in named.zip(uses) {
        if uses.is_empty() {
            return invalid(format!("{key}.{kind}.{of}"), "needs `use`: the plugin whose source or sink it is");
        }
    }
    for (of, sink) in &config.sinks {
        let QueueConfig { policy, key: by, size, .. } = &sink.queue;
        let queue = format!("{key}.sinks.{of}.queue");
        if by.is_some() && *policy != QueuePolicy::LatestPerKey {
            return invalid(format!("{queue}.key"), "is for the policy `latest_per_key`, and the policy is another");
        }
        if size.is_some() && *policy != QueuePolicy::Spill {
            return invalid(format!("{queue}.size"), "is for the policy `spill`, and the policy is another");
        }
        if *size == Some(0) {
            return invalid(format!("{queue}.size"), "is 0: a queue needs room for one message");
        }
        if sink.queue.capacity == 0 {
            return invalid(format!("{key}.sinks.{of}.queue.capacity"), "is 0: a queue needs room for one message");
        }
    }
    Ok(())
}
