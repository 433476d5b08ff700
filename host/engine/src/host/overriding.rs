//! Overriding what callbacks declare, while they are called.

use hookrail_abi::Priority;
use hookrail_dispatch::{Callback, Terms};
use hookrail_model::config::CallbackOverride;
use hookrail_model::error::{ConfigError, Error};
use hookrail_model::installed::Origin;
use hookrail_model::instance::plugin_of;

use super::core::Core;
use crate::admission;

impl Core {
    /// Has these overrides apply to the callbacks of a plugin from now on, in place of all that were given before: in
    /// one transaction, while they go on being called, and for its next generations. While it does not run, they apply to
    /// what stands in for it. The host's configuration goes before them.
    ///
    /// # Errors
    /// If one of them has a reserved priority, or the plugin is busy; then nothing has changed.
    pub fn override_callbacks(&self, plugin: &str, overrides: &[CallbackOverride]) -> Result<(), Error> {
        for hook in overrides {
            if let Some(priority) = hook.priority.filter(|priority| Priority::checked(*priority).is_none()) {
                return Err(ConfigError::reserved_priority(&*hook.point, &*hook.callback, priority).into());
            }
        }
        let reservation = self.table.reserve_name(plugin, "changed")?;
        let amend = |point: &'static str, callback: &Callback| {
            // Those of the program itself have no generation.
            if callback.generation.is_none() || plugin_of(&callback.instance) != reservation.name() {
                return None;
            }
            let wish = self.config.override_of(overrides, point, &callback.instance, &callback.name);
            let (terms, by): (Terms, Option<Origin>) = match wish {
                Some((wish, by)) => (admission::terms(callback.declared, wish), Some(by)),
                None => (callback.declared, None),
            };
            ((terms, by) != (callback.terms, callback.overridden_by)).then_some((terms, by))
        };
        self.registry.amend(amend);
        reservation.change(|current| current.halted.iter_mut().for_each(|taken_out| taken_out.amend(amend)));
        reservation.give_overrides(overrides);
        Ok(())
    }
}
