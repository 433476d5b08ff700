//! Moving a plugin to another process: an upgrade to the same build, with its state.

use std::os::fd::AsFd;
use std::sync::Arc;

use hookrail_image::SealedCopy;
use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::event::EventKind;
use hookrail_model::isolation::Placed;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::PluginHandle;
use super::upgrade::{Inheritance, Upgraded};
use crate::config::RuntimeOverrides;
use crate::plugin::{Loaded, States};

impl Core {
    /// Moves a running plugin to another process.
    ///
    /// # Errors
    /// As for `Host::move_to`.
    ///
    /// # Safety
    /// If it is moved into this process, the caller trusts the library as this program.
    pub unsafe fn move_to(self: &Arc<Self>, plugin: &PluginHandle, to: Placed) -> Result<Upgraded, Error> {
        let doing = if to.process.is_isolated() { "isolated" } else { "embedded" };
        let reservation = self.table.reserve(plugin, &[Status::Running], doing)?;
        let not_loaded = || ApiMisuse::NotLoaded(plugin.name.clone());
        let serving = reservation.serving().ok_or_else(not_loaded)?;
        let (file, copy) = serving.lifecycle.lock().as_ref().ok_or_else(not_loaded)?.keep_copy()?;
        let copy = SealedCopy::again(&file, copy.as_fd())?;
        let limit = self.config.upgrade.max_state;
        let inherit = |old: &Loaded| {
            let states = old.save(limit)?;
            Ok(Inheritance { saved: states.keys().cloned().collect(), rollback_point: States::new(), states })
        };
        let runtime_overrides = RuntimeOverrides { isolation: Some(to.clone()), ..reservation.runtime_overrides() };
        let event = |from, _, times| EventKind::moved(from, to.process.clone(), times);
        // SAFETY: the caller trusts the library as this program, if it is moved here.
        unsafe { self.replace(&reservation, copy, Some(runtime_overrides), inherit, None, event) }
    }
}
