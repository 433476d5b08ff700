//! A generation on probation, and what a rollback from it needs.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use hookrail_dispatch::{Owner, Probation};

use crate::config::RuntimeOverrides;
use crate::plugin::States;

/// What is needed to roll back to the previous build.
pub(crate) struct RollbackPoint {
    /// The path of its file, which may hold another file by now.
    pub(crate) file: PathBuf,
    /// The sealed copy of its file.
    pub(crate) copy: OwnedFd,
    /// What its instances had saved when they were replaced.
    pub(crate) states: States,
    /// The overrides it starts with, if the next generation started with others.
    pub(crate) runtime_overrides: Option<RuntimeOverrides>,
}

/// A generation on probation: from just before its callbacks are published until it passes, is rolled back, or another
/// operation on the plugin begins. Dropping it ends the probation.
pub(crate) struct ProbationEntry {
    pub(crate) owner: Owner,
    pub(crate) probation: Arc<Probation>,
    pub(crate) rollback_point: RollbackPoint,
    /// Why it did not pass, until the rollback is started.
    pub(super) not_passed: Option<String>,
}

impl ProbationEntry {
    /// Begins a probation; the callbacks are about to be published.
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
