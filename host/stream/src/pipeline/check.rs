//! What a pipeline's configuration must be.

use hookrail_abi::name::is_plain;
use hookrail_model::error::ConfigError;
use hookrail_model::pipeline::{PipelineConfig, QueueConfig, QueuePolicy};

use crate::topic::Pattern;

/// What of it can never run.
pub(crate) fn mistakes(name: &str, config: &PipelineConfig) -> Vec<ConfigError> {
    const NAME: &str = "has a name that is not made of letters, digits, `-`, `_` and `.`";
    let mut found = Vec::new();
    let mut wrong = |key: String, why: &str| found.push(ConfigError::invalid_value(key, why));
    let key = format!("pipelines.{name}");
    if !is_plain(name) || name.starts_with('.') {
        wrong(key.clone(), NAME);
    }
    if config.sources.is_empty() || config.sinks.is_empty() {
        let why = "needs at least one source and one sink: [pipelines.NAME.sources.NAME], [pipelines.NAME.sinks.NAME]";
        wrong(key.clone(), why);
    }
    let sources = config.sources.iter().map(|(name, source)| ("sources", name, &source.uses));
    let sinks = config.sinks.iter().map(|(name, sink)| ("sinks", name, &sink.uses));
    for (kind, of, uses) in sources.chain(sinks) {
        if !is_plain(of) || of.starts_with('.') {
            wrong(format!("{key}.{kind}.{of}"), NAME);
        }
        if uses.is_empty() {
            wrong(format!("{key}.{kind}.{of}"), "needs `use`: the plugin whose source or sink it is");
        }
    }
    for (of, sink) in &config.sinks {
        let QueueConfig { policy, key: by, size, .. } = &sink.queue;
        let queue = format!("{key}.sinks.{of}.queue");
        if by.is_some() && *policy != QueuePolicy::LatestPerKey {
            wrong(format!("{queue}.key"), "is for the policy `latest_per_key`, and the policy is another");
        }
        if size.is_some() && *policy != QueuePolicy::Spill {
            wrong(format!("{queue}.size"), "is for the policy `spill`, and the policy is another");
        }
        if *size == Some(0) {
            wrong(format!("{queue}.size"), "is 0: a queue needs room for one message");
        }
        for (key, is_none) in [("capacity", sink.queue.capacity == 0), ("memory", sink.queue.memory == 0)] {
            if is_none {
                wrong(format!("{queue}.{key}"), "is 0: a queue needs room for one message");
            }
        }
        for topic in &sink.topics {
            if let Err(why) = topic.parse::<Pattern>() {
                wrong(format!("{key}.sinks.{of}.topics"), &why.to_string());
            }
        }
    }
    found
}
