//! Statistics of dispatches, as people read them: how much is recorded, how long dispatches took, how they failed.

use std::time::SystemTime;

use serde::de::value;
use serde::de::{Deserializer, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::constructors;
use crate::named::display_name;

/// How much the dispatches of a point record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StatsLevel {
    /// Not at all: a dispatch is the calls and nothing else. Faults are counted all the same.
    #[default]
    Off,
    /// Calls and verdicts are counted; callbacks with a time budget are timed.
    Count,
    /// Every call is timed as well.
    Histogram,
    /// What a newer host says; a point that is set to it is counted.
    #[serde(skip_deserializing)]
    Unknown,
}

impl StatsLevel {
    /// The word people read and write.
    pub const fn name(self) -> &'static str {
        match self {
            StatsLevel::Off => "off",
            StatsLevel::Count => "count",
            StatsLevel::Histogram => "histogram",
            StatsLevel::Unknown => "unknown",
        }
    }

    /// Reads the level of a view: one that a newer host says is [`Unknown`](Self::Unknown), while a level that somebody
    /// asks for has to be known.
    pub(crate) fn of_view<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let level: Result<_, value::Error> = StatsLevel::deserialize(name.as_str().into_deserializer());
        Ok(level.unwrap_or(StatsLevel::Unknown))
    }
}

display_name!(StatsLevel);

/// The last fault of a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastFault {
    /// When.
    #[serde(with = "crate::time")]
    pub time: SystemTime,
    /// Which generation of the plugin failed; `None` for a callback of the embedding program.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generation: Option<u64>,
    /// What it reported.
    pub message: String,
}

/// Quantiles of the duration of a callback's calls, in nanoseconds; at most an eighth too high.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Latency {
    /// The number of timed calls.
    pub timed: u64,
    /// The median.
    pub p50_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
    /// The 99.9th percentile.
    pub p999_ns: u64,
    /// The maximum, exact.
    pub max_ns: u64,
    /// The sum, exact.
    #[serde(default)]
    pub total_ns: u64,
}

constructors! {
    /// A fault of a callback.
    LastFault(time: SystemTime, generation: Option<u64>, message: impl Into<String>)
}
