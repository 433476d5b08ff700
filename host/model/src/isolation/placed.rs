//! In which process a plugin runs, and who decided that.

use serde::{Deserialize, Serialize};

use super::Isolation;
use crate::constructors;
use crate::named::display_name;

/// In which process a plugin's code runs, or would run, and who decided that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Placed {
    /// The process.
    pub process: Isolation,
    /// Who decided it.
    pub by: PlacedBy,
}

/// Who decided in which process a plugin runs. The first of them that says anything is the one: a command, the host's
/// configuration, the store, the note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PlacedBy {
    /// A command or a call, until the plugin is unloaded.
    Command,
    /// Nobody.
    #[default]
    Default,
    /// The host's own configuration.
    Host,
    /// The plugin's note, which asks for a worker.
    Note,
    /// The store, where an operator's command is kept.
    Store,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl Placed {
    /// What holds if no operator says anything: what the note asks for, if that is a worker.
    pub fn by_wish(wish: Option<&str>) -> Self {
        match wish {
            Some("worker") => Placed::new(Isolation::WORKER, PlacedBy::Note),
            _ => Placed::default(),
        }
    }
}

impl PlacedBy {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            PlacedBy::Command => "a command",
            PlacedBy::Default => "default",
            PlacedBy::Host => "the host's configuration",
            PlacedBy::Note => "its note",
            PlacedBy::Store => "the store",
            PlacedBy::Unknown => "unknown",
        }
    }
}

display_name!(PlacedBy);

constructors! {
    /// In that process, as decided by those.
    Placed(process: Isolation, by: PlacedBy)
}
