//! Looking at messages as they pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command;
use crate::tap::TapPlace;

/// Subscribes to the messages that pass a place from now on, as [`TapItem`](crate::tap::TapItem)s after the answer. The
/// stream waits for no subscriber: what is not read in time is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tap {
    /// Only messages on topics that match this pattern.
    pub topics: String,
    /// The place.
    #[serde(default)]
    pub at: TapPlace,
    /// Only in this pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// Only messages that have all these headers, with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Ends after so many messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// At most so many messages in a second; the others are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
}

command!(Tap, "tap", HOST, ());

impl Tap {
    /// Those on topics that match this pattern, as published, without limits.
    pub fn new(topics: impl Into<String>) -> Self {
        Tap {
            topics: topics.into(),
            at: TapPlace::default(),
            pipeline: None,
            headers: BTreeMap::new(),
            limit: None,
            rate: None,
        }
    }
}
