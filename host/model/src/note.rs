//! What a plugin says of itself in its file, before any of its code runs.

use serde::{Deserialize, Serialize};

/// The note of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The plugin's id.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The newest ABI version it knows.
    pub abi: String,
    /// `many` or `one`.
    #[serde(default = "many")]
    pub instances: String,
    /// Where its author wishes it to run.
    #[serde(default = "in_process")]
    pub isolation: String,
    /// `unwind` or `abort`; C code does neither, and says `unwind`.
    #[serde(default = "unwind")]
    pub panic: String,
    /// What built it.
    #[serde(default)]
    pub toolchain: String,
    /// What it asks to be granted.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The callbacks it may register.
    pub hooks: Vec<NoteHook>,
}

/// One that says nothing but what holds where a note says nothing.
impl Default for Note {
    fn default() -> Self {
        Note {
            name: String::new(),
            version: String::new(),
            abi: String::new(),
            instances: many(),
            isolation: in_process(),
            panic: unwind(),
            toolchain: String::new(),
            capabilities: Vec::new(),
            hooks: Vec::new(),
        }
    }
}

/// A callback that a plugin may register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteHook {
    /// The point.
    pub point: String,
    /// The point's revision.
    pub revision: u32,
    /// The callback's name.
    pub callback: String,
    /// Where it stands.
    pub priority: i32,
    /// What it touches.
    #[serde(default = "external")]
    pub effects: String,
}

fn many() -> String {
    "many".into()
}

fn in_process() -> String {
    "in-process".into()
}

fn unwind() -> String {
    "unwind".into()
}

fn external() -> String {
    "external".into()
}
