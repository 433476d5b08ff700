//! Rolling back: a new generation that fails its probation is replaced with the build it replaced.

use std::os::fd::AsFd;
use std::sync::Arc;

use hookrail_dispatch::Owner;
use hookrail_image::SealedCopy;
use hookrail_model::error::Error;
use hookrail_model::event::EventKind;
use hookrail_model::log;
use hookrail_model::times::UpgradeTimes;

use super::core::{Core, Fallback};
use super::table::{Reservation, RollbackPoint};
use super::upgrade::{Inheritance, Upgraded};
use crate::plugin::{Loaded, States};

impl Core {
    /// Replaces a generation with the previous build, unless its probation has ended or another generation serves by
    /// now. Waits for any operation on the plugin in progress, and calls the plugin.
    pub(super) fn roll_back(self: &Arc<Self>, owner: Owner, reason: &str) {
        let Some(plugin) = &self.table.on_probation(owner) else { return };
        let Some(reservation) = self.table.reserve_later(plugin, owner, "rolled back") else { return };
        let Some(failed) = reservation.serving() else { return };
        // A reload that has begun records its configuration before it releases this; no other one begins.
        drop(failed.lifecycle.lock());
        // Only now: what was changed until here also applies after the rollback.
        let Some(probation) = reservation.take_probation(owner) else { return };
        let rollback_point = &probation.rollback_point;
        log!(error, plugin, generation = failed.generation, "is rolled back: {reason}");
        let event = |from, _, _| EventKind::rolled_back(from, reason);
        // SAFETY: whoever loaded this build trusted it as this program, and the copy is sealed.
        let replaced = unsafe { self.return_by(&reservation, rollback_point, event) };
        if let Err(error) = replaced {
            log!(error, plugin, "cannot be rolled back: {error}");
            let what = EventKind::rollback_failed(reason, error.to_string());
            self.events.tell(plugin, failed.generation, what);
        }
        let serves = reservation.serving().filter(|serving| serving.generation != failed.generation);
        drop(reservation);
        if let Some(serves) = &serves {
            self.fell_back(&Fallback { plugin, from: &failed.version, to: &serves.version, reason });
        }
        // A host that was dropped from within a callback does not wait for this thread.
        if self.table.is_closing()
            && let Some(plugin) = self.table.plugin(plugin)
        {
            let _ = self.begin_unload(&plugin);
        }
    }

    /// Replaces the serving generation with the previous build: with the newest state if the build accepts it, else
    /// with the state that the build itself had saved.
    ///
    /// # Safety
    /// The caller trusts the library of the rollback point as this program: its code runs in this process.
    pub(super) unsafe fn return_by(
        self: &Arc<Self>,
        reservation: &Reservation,
        rollback_point: &RollbackPoint,
        event: impl Fn(u64, String, UpgradeTimes) -> EventKind,
    ) -> Result<Upgraded, Error> {
        let plugin = reservation.name();
        // Each copy becomes one library.
        let copy = || SealedCopy::again(&rollback_point.file, rollback_point.copy.as_fd());
        let runtime_overrides = || rollback_point.runtime_overrides.clone();
        let limit = self.config.upgrade.max_state;
        // The newest state is worth more than what the previous build had saved, if that build accepts it.
        let newest = |old: &Loaded| {
            let saved = old.save(limit).unwrap_or_else(|error| {
                log!(warn, plugin, "its state is left behind: {error}");
                States::new()
            });
            let names = saved.keys().cloned().collect();
            let mut states = rollback_point.states.clone();
            states.extend(saved);
            Ok(Inheritance { states, saved: names, rollback_point: States::new() })
        };
        let handed_over = |_: &Loaded| {
            Ok(Inheritance { states: rollback_point.states.clone(), saved: Vec::new(), rollback_point: States::new() })
        };
        // SAFETY: the caller trusts the library in the copy as this program.
        let replaced = copy()
            .and_then(|copy| unsafe { self.replace(reservation, copy, runtime_overrides(), newest, None, &event) });
        replaced.or_else(|error| {
            log!(warn, plugin, "the state of the newer build is left behind: {error}");
            // SAFETY: the caller trusts the library in the copy as this program.
            copy().and_then(|copy| unsafe {
                self.replace(reservation, copy, runtime_overrides(), handed_over, None, &event)
            })
        })
    }
}
