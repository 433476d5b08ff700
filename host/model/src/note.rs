//! What a plugin declares in its file, readable before any of its code runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constructors;

/// The format of notes that this crate reads.
pub const FORMAT: u32 = 1;

/// The note of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Note {
    /// The format of the note: 1. It is raised only when a reader of the format before would be misled.
    #[serde(default = "format")]
    pub format: u32,
    /// The plugin's id.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The newest ABI version that it knows.
    pub abi: String,
    /// `many` or `one`.
    #[serde(default = "many")]
    pub instances: String,
    /// Where its author wants it to run: `worker` or `in-process`, if the author says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
    /// `unwind` or `abort`; C code has no panics and states `unwind`.
    #[serde(default = "unwind")]
    pub panic: String,
    /// The toolchain that built it.
    #[serde(default)]
    pub toolchain: String,
    /// What it asks the operator to grant.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The callbacks that it may register.
    pub hooks: Vec<NoteHook>,
    /// The points that it dispatches itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fires: Vec<NotePoint>,
    /// Its sources and sinks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<NoteEndpoint>,
}

/// What a note of any format has.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct AnyNote {
    /// The format of the note.
    #[serde(default = "format")]
    pub format: u32,
}

/// A note with the default of every field that a note may omit.
impl Default for Note {
    fn default() -> Self {
        Note {
            format: format(),
            name: String::new(),
            version: String::new(),
            abi: String::new(),
            instances: many(),
            isolation: None,
            panic: unwind(),
            toolchain: String::new(),
            capabilities: Vec::new(),
            hooks: Vec::new(),
            fires: Vec::new(),
            endpoints: Vec::new(),
        }
    }
}

/// A callback that a plugin may register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoteHook {
    /// The point.
    pub point: String,
    /// The point's revision.
    pub revision: u32,
    /// The callback's name.
    pub name: String,
    /// Its priority.
    pub priority: i32,
    /// What it touches.
    #[serde(default = "external")]
    pub effects: String,
}

/// A point that a plugin dispatches itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotePoint {
    /// Its name.
    pub point: String,
    /// Its revision.
    pub revision: u32,
}

/// A source or a sink of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoteEndpoint {
    /// Which of both.
    pub kind: EndpointKind,
    /// Its name, unique among those of its kind.
    pub name: String,
    /// How often a message arrives if a process is killed on the way.
    #[serde(default)]
    pub guarantee: Guarantee,
}

/// What an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointKind {
    /// It takes messages.
    Sink,
    /// Messages come from it.
    Source,
}

/// How often a message arrives if a process is killed on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Guarantee {
    /// Once or more often.
    AtLeastOnce,
    /// Once, or not at all.
    #[default]
    AtMostOnce,
    /// What a newer plugin promises.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl EndpointKind {
    /// Its name in notes and configurations.
    pub fn name(self) -> &'static str {
        match self {
            EndpointKind::Sink => "sink",
            EndpointKind::Source => "source",
        }
    }
}

impl Guarantee {
    /// Its name in notes.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::AtLeastOnce => "at-least-once",
            Guarantee::AtMostOnce => "at-most-once",
            Guarantee::Unknown => "unknown",
        }
    }
}

constructors! {
    /// A point that a plugin dispatches itself.
    NotePoint(point: impl Into<String>, revision: u32)
}

constructors! {
    /// A source or a sink that promises nothing.
    NoteEndpoint(kind: EndpointKind, name: impl Into<String>) {
        guarantee: Guarantee::default(),
    }
}

constructors! {
    /// A callback that may touch anything.
    NoteHook(point: impl Into<String>, revision: u32, name: impl Into<String>, priority: i32) {
        effects: external(),
    }
}

fn many() -> String {
    "many".into()
}

fn format() -> u32 {
    FORMAT
}

fn unwind() -> String {
    "unwind".into()
}

fn external() -> String {
    "external".into()
}
