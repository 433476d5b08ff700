//! Messages as they pass a place, for whoever looks at them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place that messages pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TapPlace {
    /// As their sources have sent them, before any callback: with every secret that came in.
    Received,
    /// As all callbacks of `message.publish` have left them, on their way to the sinks.
    #[default]
    Published,
    /// A sink has taken them and answered for them; once for each sink.
    Delivered,
    /// They reach no sink, or not all that wanted them; once for each time one is dropped.
    Dropped,
    /// What a newer program says.
    #[serde(other)]
    Unknown,
}

/// A message that has passed a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tapped {
    /// The place.
    pub at: TapPlace,
    /// The pipeline; empty if it passed outside of one.
    #[serde(default)]
    pub pipeline: String,
    /// The source or the sink on whose thread it passed; empty if it was none of the two.
    #[serde(default)]
    pub endpoint: String,
    /// The message as JSON, as it was at that place: what callbacks before it have masked is masked, and nothing else. What
    /// is long in it is cut.
    pub message: Value,
    /// The length of its topic in bytes, if that was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_bytes: Option<u64>,
    /// The length of its source in bytes, if that was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_bytes: Option<u64>,
    /// The length of its body in bytes, if that was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    /// How many of its headers were left out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub headers_left_out: u64,
    /// The kind of drop, if it was dropped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Why it was dropped, if anybody said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The callback that denied it, as `instance/callback`, if one did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decided_by: String,
}

/// What is told after the answer to [`Tap`](crate::command::Tap).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TapItem {
    /// A message.
    Message(Box<Tapped>),
    /// What was not told, in total so far.
    Missed(TapMissed),
    /// What a newer host says; this one never does.
    Unknown,
}

/// How many messages matched and were not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TapMissed {
    /// They were not read in time.
    pub unread: u64,
    /// They were more in a second than were asked for.
    pub over_rate: u64,
}

impl<'de> Deserialize<'de> for TapItem {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            message: Option<Box<Tapped>>,
            missed: Option<TapMissed>,
        }
        let Fields { message, missed } = Fields::deserialize(deserializer)?;
        Ok(match (message, missed) {
            (Some(message), _) => TapItem::Message(message),
            (None, Some(missed)) => TapItem::Missed(missed),
            (None, None) => TapItem::Unknown,
        })
    }
}

impl TapPlace {
    /// All that there are, in the order in which messages pass them.
    pub const ALL: [TapPlace; 4] = [TapPlace::Received, TapPlace::Published, TapPlace::Delivered, TapPlace::Dropped];

    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            TapPlace::Received => "received",
            TapPlace::Published => "published",
            TapPlace::Delivered => "delivered",
            TapPlace::Dropped => "dropped",
            TapPlace::Unknown => "unknown",
        }
    }
}

impl fmt::Display for TapPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Tapped {
    /// A message that has passed there; nothing of it was cut.
    pub fn new(at: TapPlace, message: Value) -> Self {
        Tapped {
            at,
            pipeline: String::new(),
            endpoint: String::new(),
            message,
            topic_bytes: None,
            source_bytes: None,
            body_bytes: None,
            headers_left_out: 0,
            kind: String::new(),
            reason: String::new(),
            decided_by: String::new(),
        }
    }
}

impl TapMissed {
    /// So many.
    pub fn new(unread: u64, over_rate: u64) -> Self {
        TapMissed { unread, over_rate }
    }
}

fn is_none(count: &u64) -> bool {
    *count == 0
}
