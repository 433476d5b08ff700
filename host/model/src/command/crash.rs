//! Reports of workers that have ended otherwise than their host wanted.

use serde::{Deserialize, Serialize};

use super::command;
use crate::constructors;
use crate::crash::CrashReport;

/// Lists the reports that are kept, newest first, without the inputs of lost calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Crashes {}

/// Shows one report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ShowCrash {
    /// Its id.
    pub id: String,
}

command!(Crashes, "crashes", NOTHING, Vec<CrashReport>);
command!(ShowCrash, "crash", NOTHING, CrashReport);

impl Crashes {
    /// All of them.
    pub fn new() -> Self {
        Crashes {}
    }
}

constructors! {
    /// The one with that id.
    ShowCrash(id: impl Into<String>)
}
