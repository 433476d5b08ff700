//! A generation on probation, and what it takes to go back from it.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use hookrail_dispatch::{Owner, Probation};

use crate::config::RuntimeOverrides;
use crate::plugin::States;

/// What it takes to go back to the build before.
pub(crate) struct RollbackPoint {
    /// Its file, which may be another by now.
    pub(crate) file: PathBuf,
    /// The sealed copy of its file.
    pub(crate) copy: OwnedFd,
    /// What its instances had saved when they were replaced.
    pub(crate) states: States,
    /// What it begins with, where the generation after it began with something else.
    pub(crate) wishes: Option<RuntimeOverrides>,
}

/// A generation on probation: from just before its callbacks are published until it has passed, is rolled back, or
/// something else is done to the plugin. Dropping it ends the probation.
pub(crate) struct ProbationEntry {
    pub(crate) owner: Owner,
    pub(crate) probation: Arc<Probation>,
    pub(crate) rollback_point: RollbackPoint,
    /// Why it did not pass, until somebody goes back from it.
    pub(super) not_passed: Option<String>,
}

impl ProbationEntry {
    /// Begins a probation: the callbacks are about to be published.
    pub(crate) fn begin(owner: Owner, probation: Arc<Probation>, rollback_point: RollbackPoint) -> Self {
        probation.begin();
        ProbationEntry { owner, probation, rollback_point, not_passed: None }
    }
}

impl Drop for ProbationEntry {
    fn drop(&mut self) {
        self.probation.end();
    }
}
