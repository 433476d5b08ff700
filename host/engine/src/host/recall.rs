//! Back from a generation that came too early: what it was to be recorded in could not be written.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use hookrail_model::error::Error;
use hookrail_model::event::EventKind;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::Plugin;
use super::table::RollbackPoint;
use super::upgrade::Upgraded;
use crate::config::RuntimeOverrides;

impl Core {
    /// Replaces a generation that came too early by the build before it, whose file and sealed copy this is,
    /// with these wishes; on no probation, for there is nothing it could go back to.
    ///
    /// # Safety
    /// The caller trusts the library in the copy as this program: its code runs in this process.
    pub unsafe fn recall(
        self: &Arc<Self>,
        plugin: &Plugin,
        file: PathBuf,
        copy: OwnedFd,
        wishes: RuntimeOverrides,
    ) -> Result<Upgraded, Error> {
        let reservation = self.table.reserve(plugin, Status::Running, "rolled back")?;
        let early = reservation.serving().map(|early| early.owner);
        let probation = reservation.end_probations(None).into_iter().find(|probation| Some(probation.owner) == early);
        let states =
            probation.map(|mut probation| std::mem::take(&mut probation.rollback_point.states)).unwrap_or_default();
        let event = |from, version, times| EventKind::Upgraded { from, version, times };
        // SAFETY: the caller trusts the library in the copy as this program.
        unsafe { self.return_by(&reservation, &RollbackPoint { file, copy, states, wishes: Some(wishes) }, event) }
    }
}
