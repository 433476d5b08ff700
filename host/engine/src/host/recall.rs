//! Rolls back an upgrade whose record could not be written.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use hookrail_model::error::Error;
use hookrail_model::event::EventKind;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::PluginHandle;
use super::table::RollbackPoint;
use super::upgrade::Upgraded;
use crate::config::RuntimeOverrides;

impl Core {
    /// Replaces a generation whose upgrade was not recorded with the previous build, given its file and sealed copy,
    /// with these overrides. The previous build is not put on probation, since there is nothing to roll back to.
    ///
    /// # Errors
    /// If the plugin is not running or is busy, or the previous build cannot be loaded.
    ///
    /// # Safety
    /// The caller trusts the library in the copy as this program: its code runs in this process.
    pub unsafe fn recall(
        self: &Arc<Self>,
        plugin: &PluginHandle,
        file: PathBuf,
        copy: OwnedFd,
        runtime_overrides: RuntimeOverrides,
    ) -> Result<Upgraded, Error> {
        let reservation = self.table.reserve(plugin, &[Status::Running], "rolled back")?;
        let early = reservation.serving().map(|early| early.owner);
        let probation = reservation.end_probations(None).into_iter().find(|probation| Some(probation.owner) == early);
        let states =
            probation.map(|mut probation| std::mem::take(&mut probation.rollback_point.states)).unwrap_or_default();
        let event = EventKind::upgraded;
        // SAFETY: the caller trusts the library in the copy as this program.
        unsafe {
            self.return_by(
                &reservation,
                &RollbackPoint { file, copy, states, runtime_overrides: Some(runtime_overrides) },
                event,
            )
        }
    }
}
