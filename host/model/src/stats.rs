//! What dispatches have done, as people see it: how closely they are looked at, how long they took, how
//! they failed.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// How closely the dispatches of a point are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Not at all: a dispatch is the calls and nothing else. Faults are counted all the same.
    #[default]
    Off,
    /// Calls and answers are counted; callbacks with a time budget are timed.
    Count,
    /// Every call is timed too.
    Histogram,
}

impl Level {
    /// The word people read and write.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Count => "count",
            Level::Histogram => "histogram",
        }
    }
}

/// The last fault of a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFault {
    /// When.
    #[serde(with = "crate::time")]
    pub time: SystemTime,
    /// Which generation of the plugin failed; `None` for a callback of the embedding program.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generation: Option<u64>,
    /// What it said.
    pub what: String,
}

/// Quantiles of how long the calls of a callback took, in nanoseconds; an eighth too high at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many calls were timed.
    pub timed: u64,
    /// Half of them took no longer.
    pub p50_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// 999 of 1,000 took no longer.
    pub p999_ns: u64,
    /// The longest one, exactly.
    pub max_ns: u64,
}
