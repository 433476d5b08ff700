//! Back from a generation that came too early: what it was to be recorded in could not be written.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use super::Plugin;
use super::core::Core;
use super::trial::WayBack;
use super::upgrade::Upgraded;
use crate::config::Wishes;
use crate::error::Error;
use crate::event::Happened;
use crate::view::Status;

impl Core {
    /// Replaces a generation that came too early by the build before it, whose file and sealed copy this is,
    /// with these wishes; on no probation, for there is nothing it could go back to.
    ///
    /// # Safety
    /// As for `Host::upgrade`.
    pub(crate) unsafe fn recall(
        self: &Arc<Self>,
        plugin: &Plugin,
        file: PathBuf,
        copy: OwnedFd,
        wishes: Wishes,
    ) -> Result<Upgraded, Error> {
        let reservation = self.table.reserve(plugin, Status::Running, "rolled back")?;
        let trial = reservation.serving().and_then(|early| self.trials.take(early.owner));
        let states = trial.map(|trial| trial.way_back.states).unwrap_or_default();
        let event = |from, version, times| Happened::Upgraded { from, version, times };
        // SAFETY: the caller's contract.
        unsafe { self.return_by(&reservation, &WayBack { file, copy, states, wishes: Some(wishes) }, event) }
    }
}
