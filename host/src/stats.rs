//! What callbacks have done: counts and times, kept per thread so that counting shares no memory.

mod clock;
mod fields;
mod histogram;
mod record;
mod shards;
mod tally;
mod trace;

use serde::{Deserialize, Serialize};

pub(crate) use clock::monotonic;
pub use histogram::Latency;
pub use record::LastFault;
pub(crate) use record::{Record, now};
pub(crate) use tally::{PointCounts, Tally};
pub use trace::{Condition, Missing, Step, Trace};
pub(crate) use trace::{Taking, Tracer, Tracers};

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
