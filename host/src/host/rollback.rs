//! The way back: a new generation that does not pass its probation is replaced by the build it
//! replaced.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::core::Core;
use super::upgrade::Inheritance;
use crate::chain::Owner;
use crate::error::Error;
use crate::event::Happened;
use crate::library::Source;
use crate::plugin::{Loaded, States};
use crate::probation::Probation;

/// What it takes to go back to the build before.
pub(super) struct WayBack {
    /// Its file, which may be another by now.
    pub(super) file: PathBuf,
    /// The sealed copy of its file.
    pub(super) copy: OwnedFd,
    /// What its instances had saved when they were replaced.
    pub(super) states: States,
}

/// A generation on probation. Its probation ends, and the way back is forgotten, when this is
/// dropped.
pub(super) struct OnTrial(Arc<Trial>);

struct Trial {
    probation: Arc<Probation>,
    way_back: Mutex<Option<WayBack>>,
}

impl OnTrial {
    /// Has a thread wait for the end of the probation.
    pub(super) fn begin(
        core: &Arc<Core>,
        plugin: &str,
        owner: Owner,
        probation: Arc<Probation>,
        way_back: WayBack,
    ) -> Result<Self, Error> {
        let trial = Arc::new(Trial { probation, way_back: Mutex::new(Some(way_back)) });
        let (core, plugin, watched) = (Arc::downgrade(core), plugin.to_owned(), trial.clone());
        let spawned = std::thread::Builder::new()
            .name("hookrail-trial".into())
            .spawn(move || watched.watch(&core, &plugin, owner));
        // INVARIANT: from here on the drop ends the thread.
        let trial = OnTrial(trial);
        spawned.map(|_| trial).map_err(|source| Error::System { what: "start a thread".into(), source })
    }
}

impl Drop for OnTrial {
    fn drop(&mut self) {
        // First, so that it is gone when this returns, and not when the thread has come to it.
        self.0.way_back.lock().take();
        self.0.probation.end();
    }
}

impl Trial {
    fn watch(&self, core: &Weak<Core>, plugin: &str, owner: Owner) {
        let failed = self.probation.wait();
        let way_back = self.way_back.lock().take();
        if let (Some(reason), Some(way_back), Some(core)) = (failed, way_back, core.upgrade()) {
            core.roll_back(plugin, owner, &way_back, &reason);
        }
    }
}

impl Core {
    /// Replaces a generation by the build before it, unless another one serves by now.
    fn roll_back(self: &Arc<Self>, plugin: &str, owner: Owner, way_back: &WayBack, reason: &str) {
        let Some(reservation) = self.table.reserve_later(plugin, owner, "rolled back") else { return };
        let Some(failed) = reservation.serving() else { return };
        tracing::error!(plugin, generation = failed.generation, "is rolled back: {reason}");
        let source = Source::copy(&way_back.file, way_back.copy.as_fd());
        let limit = self.config.upgrade.max_state;
        // What it has counted since is worth more than what the build before knew, if that takes it.
        let newest = |old: &Loaded| {
            let saved = old.save(limit).unwrap_or_else(|error| {
                tracing::warn!(plugin, "its state is left behind: {error}");
                States::new()
            });
            let names = saved.keys().cloned().collect();
            let mut states = way_back.states.clone();
            states.extend(saved);
            Ok(Inheritance { states, saved: names, way_back: States::new() })
        };
        let handed_over = |_: &Loaded| {
            Ok(Inheritance { states: way_back.states.clone(), saved: Vec::new(), way_back: States::new() })
        };
        let event = |from, _, _| Happened::RolledBack { from, reason: reason.into() };
        // SAFETY: whoever loaded this build trusted it, and the copy is sealed.
        let replaced = unsafe { self.replace(&reservation, source, newest, None, event) }.or_else(|error| {
            tracing::warn!(plugin, "the state of the newer build is left behind: {error}");
            // SAFETY: as above.
            unsafe { self.replace(&reservation, source, handed_over, None, event) }
        });
        if let Err(error) = replaced {
            tracing::error!(plugin, "cannot be rolled back: {error}");
            let what = Happened::RollbackFailed { reason: reason.into(), error: error.to_string() };
            self.events.tell(plugin, failed.generation, what);
        }
        drop(reservation);
        // A host that is dropped from within a callback does not wait for us.
        if self.table.is_closing()
            && let Some(plugin) = self.table.plugin(plugin)
        {
            let _ = self.begin_unload(&plugin);
        }
    }
}
