//! What a check is.

use serde::Serialize;

use crate::answer::Found;
use crate::subject::Subject;

/// What a check does with the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Reads the file; none of its code runs.
    Static,
    /// Loads it, once or repeatedly.
    Load,
    /// Calls its functions.
    Run,
    /// Looks at what is left after it is unmapped.
    Unload,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::Static, Kind::Load, Kind::Run, Kind::Unload];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Static => "static",
            Kind::Load => "load",
            Kind::Run => "run",
            Kind::Unload => "unload",
        }
    }
}

/// Where a check takes place when the plugin is isolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolated {
    /// A host outside has the plugin in its worker.
    Across,
    /// It is as ever: none of the plugin's code runs.
    Alike,
    /// Both, one after the other: first inside.
    Both,
    /// All of it in a process like a worker's: it calls the plugin as no worker does, or looks at the process that the
    /// plugin is in.
    Inside,
}

/// A check.
#[derive(Serialize)]
pub struct Check {
    /// Its name, in lower case with dashes.
    pub name: &'static str,
    /// What it does with the library.
    pub kind: Kind,
    /// The lowest strictness at which it is run: 1 to 10, where 5 is "works in hosts".
    pub level: u8,
    /// What is checked, in one line.
    pub about: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The checks that must have passed before; otherwise its result means nothing.
    pub needs: &'static [&'static str],
    /// Where it takes place when the plugin is isolated.
    pub isolated: Isolated,
    #[serde(skip)]
    pub(crate) run: fn(&Subject) -> Found,
}
