//! The operator's configuration.

use std::num::NonZeroU32;

use hookrail_abi::config;

/// Configuration of the plugin `throttle`.
#[config]
pub(crate) struct Config {
    /// Messages per second that each key may send in the long run; above 0, at most 1000000.
    #[schemars(range(max = 1_000_000.0), extend("exclusiveMinimum" = 0))]
    pub(crate) rate: f64,

    /// How many messages a key may send at once after a pause. The default is what it may send in one second, at least
    /// 1.
    #[serde(default)]
    pub(crate) burst: Option<NonZeroU32>,

    /// What has a bucket each: every `source`, every `topic`, or every value of a header, `{ header = "name" }`.
    #[serde(default)]
    pub(crate) key: Key,

    /// What happens to messages without the key: those that lack the header, or whose value of the key is empty.
    #[serde(default)]
    pub(crate) without_key: WithoutKey,

    /// How many keys are remembered, at about 100 bytes each. When there is one more, the key with the most messages
    /// left is forgotten, among the next 16.
    #[serde(default = "ten_thousand")]
    pub(crate) max_keys: NonZeroU32,
}

/// What has a bucket each.
#[config]
#[derive(Clone, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Key {
    /// The source of a message.
    #[default]
    Source,
    /// The topic of a message.
    Topic,
    /// The first header with that name.
    Header(String),
}

/// What happens to messages without the key.
#[config]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WithoutKey {
    /// They are not limited.
    #[default]
    Allow,
    /// They are denied.
    Deny,
    /// They all share a bucket.
    Share,
}

fn ten_thousand() -> NonZeroU32 {
    NonZeroU32::new(10_000).expect("it is not zero")
}
