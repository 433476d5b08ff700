//! The generations on probation, and what it takes to go back from them. The watchdog sees to them.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::Value;

use crate::chain::Owner;
use crate::config::Wishes;
use crate::plugin::States;
use crate::probation::Probation;

/// What it takes to go back to the build before.
pub(super) struct WayBack {
    /// Its file, which may be another by now.
    pub(super) file: PathBuf,
    /// The sealed copy of its file.
    pub(super) copy: OwnedFd,
    /// What its instances had saved when they were replaced.
    pub(super) states: States,
    /// What it begins with, where the generation after it began with something else.
    pub(super) wishes: Option<Wishes>,
}

/// A generation on probation.
pub(super) struct Trial {
    pub(super) plugin: String,
    pub(super) probation: Arc<Probation>,
    pub(super) way_back: WayBack,
}

/// The generations of one host that are on probation, each until it has passed, is rolled back, or its
/// [`OnTrial`] is dropped. Its lock is held for looking only.
#[derive(Default)]
pub(super) struct Trials(Mutex<HashMap<Owner, Trial>>);

/// A probation. It ends, and the way back is forgotten, when this is dropped.
pub(super) struct OnTrial {
    trials: Arc<Trials>,
    owner: Owner,
}

impl Trials {
    /// Begins a probation: the callbacks are about to be published.
    pub(super) fn begin(self: &Arc<Self>, owner: Owner, trial: Trial) -> OnTrial {
        trial.probation.begin();
        self.0.lock().insert(owner, trial);
        OnTrial { trials: self.clone(), owner }
    }

    /// Takes out one that was not passed, unless it was ended.
    pub(super) fn take(&self, owner: Owner) -> Option<Trial> {
        self.0.lock().remove(&owner)
    }

    /// Forgets the ways back of those that have passed. One that has not, at the last moment, stays until
    /// the finding of it is there.
    pub(super) fn pass(&self) {
        let passed: Vec<_> = self.0.lock().extract_if(|_, trial| trial.probation.pass()).collect();
        // Without the lock: the copy may be large.
        drop(passed);
    }

    /// When the time of the next one is over.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.lock().values().filter_map(|trial| trial.probation.ends()).min()
    }
}

impl OnTrial {
    /// A configuration came by a reload: it stays, also on the way back.
    pub(super) fn reloaded(&self, instance: &str, config: &Value) {
        let mut trials = self.trials.0.lock();
        if let Some(wishes) = trials.get_mut(&self.owner).and_then(|trial| trial.way_back.wishes.as_mut()) {
            wishes.configs.insert(instance.into(), config.clone());
        }
    }
}

impl Drop for OnTrial {
    fn drop(&mut self) {
        if let Some(trial) = self.trials.take(self.owner) {
            trial.probation.end();
        }
    }
}
