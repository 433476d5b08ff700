//! What is served where nothing is configured: the logs of this machine.

use hookrail::{Config, PipelineConfig, PluginConfig, SinkConfig, SourceConfig};
use serde_json::json;

/// What programs write beside a password, a token or a key.
const SECRETS: &str =
    r#"(?i)\b(?:pass(?:word|wd)?|token|secret|api[-_]?key|authorization)["']?\s*[=:]\s*["']?(?:bearer\s+)?[^\s"',;]+"#;

/// Where no pipeline is configured, adds `logs`, and the plugin that masks unless the operator has configured that.
pub(super) fn add_if_none(config: &mut Config) {
    if !config.pipelines.is_empty() {
        return;
    }
    let follow = json!({ "paths": ["/var/log/*.log", "/var/log/syslog", "/var/log/messages", "/var/log/*/*.log"] });
    let logs = PipelineConfig::default()
        .with_source("files", SourceConfig::new("tail").with_config(follow))
        .with_sink("shown", SinkConfig::new("stdout"));
    config.pipelines.insert("logs".into(), logs);
    let mask = || PluginConfig::default().with_config(json!({ "patterns": [SECRETS] }));
    config.plugins.entry("mask".into()).or_insert_with(mask);
}
