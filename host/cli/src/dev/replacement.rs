//! The result of a replacement, on one line.

use std::fmt;
use std::time::Duration;

use hookrail::UpgradeTimes;
use indicatif::HumanCount;
use serde::{Serialize, Serializer};

use super::counters::Traffic;
use crate::duration;

/// A build that serves.
#[derive(Serialize)]
pub(super) struct Replacement {
    pub(super) plugin: String,
    pub(super) version: String,
    pub(super) generation: u64,
    pub(super) how: How,
    /// How long the build took.
    #[serde(rename = "built_ns", serialize_with = "nanoseconds")]
    pub(super) built: Duration,
    /// The time from the request to the host until its answer that the new build serves.
    #[serde(rename = "live_ns", serialize_with = "nanoseconds")]
    pub(super) live: Duration,
    /// As reported by the host; a first load has none.
    pub(super) times: Option<UpgradeTimes>,
    /// The messages from before the build until the new build served; `None` if the host does not report them.
    #[serde(flatten)]
    pub(super) traffic: Option<Traffic>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum How {
    Loaded,
    Upgraded,
}

impl fmt::Display for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live = match self.how {
            How::Loaded => "loaded",
            How::Upgraded => "live",
        };
        let (built, took) = (duration::text(self.built), duration::text(self.live));
        write!(f, "built in {built}, {live} in {took}, generation {}", self.generation)?;
        match self.traffic {
            Some(Traffic { messages, unanswered: 0 }) => {
                write!(f, ", {} messages meanwhile, dropped 0", HumanCount(messages))
            }
            Some(Traffic { messages, unanswered }) => {
                let (messages, unanswered) = (HumanCount(messages), HumanCount(unanswered));
                write!(f, ", {messages} messages meanwhile, {unanswered} not answered yet")
            }
            None => Ok(()),
        }
    }
}

fn nanoseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_is_one_line_for_people_and_one_object_for_programs() {
        let replacement = Replacement {
            plugin: "a".into(),
            version: "1.0.0".into(),
            generation: 4,
            how: How::Upgraded,
            built: Duration::from_millis(1240),
            live: Duration::from_micros(3100),
            times: None,
            traffic: Some(Traffic { messages: 12_345, unanswered: 0 }),
        };
        let line = "built in 1.24 s, live in 3.10 ms, generation 4, 12,345 messages meanwhile, dropped 0";
        assert_eq!(replacement.to_string(), line);
        let json = serde_json::to_value(&replacement).unwrap();
        assert_eq!((&json["messages"], &json["live_ns"]), (&12_345.into(), &3_100_000.into()));
        let waiting = Replacement { traffic: Some(Traffic { messages: 2, unanswered: 1 }), ..replacement };
        assert!(waiting.to_string().ends_with("generation 4, 2 messages meanwhile, 1 not answered yet"));
        let silent = Replacement { how: How::Loaded, traffic: None, ..waiting };
        assert_eq!(silent.to_string(), "built in 1.24 s, loaded in 3.10 ms, generation 4");
    }
}
