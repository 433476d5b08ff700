//! Back from a generation that came too early: what it was to be recorded in could not be written.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use hookrail_model::error::Error;
use hookrail_model::event::Happened;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::Plugin;
use super::table::WayBack;
use super::upgrade::Upgraded;
use crate::config::Wishes;

impl Core {
    /// Replaces a generation that came too early by the build before it, whose file and sealed copy this is,
    /// with these wishes; on no probation, for there is nothing it could go back to.
    ///
    /// # Safety
    /// As for `Host::upgrade`.
    pub unsafe fn recall(
        self: &Arc<Self>,
        plugin: &Plugin,
        file: PathBuf,
        copy: OwnedFd,
        wishes: Wishes,
    ) -> Result<Upgraded, Error> {
        let reservation = self.table.reserve(plugin, Status::Running, "rolled back")?;
        let early = reservation.serving().map(|early| early.owner);
        let trial = reservation.end_trials(None).into_iter().find(|trial| Some(trial.owner) == early);
        let states = trial.map(|mut trial| std::mem::take(&mut trial.way_back.states)).unwrap_or_default();
        let event = |from, version, times| Happened::Upgraded { from, version, times };
        // SAFETY: the caller's contract.
        unsafe { self.return_by(&reservation, &WayBack { file, copy, states, wishes: Some(wishes) }, event) }
    }
}
