//! In which process a plugin runs. The store keeps that for what hosts load from there; any other plugin is moved until
//! it is unloaded.

use std::sync::Arc;

use hookrail_engine::{Core, Upgraded};
use hookrail_model::command::Changed;
use hookrail_model::error::ApiMisuse;
use hookrail_model::isolation::{Isolation, Placed, PlacedBy};
use hookrail_model::log;
use hookrail_model::view::Status;

use super::Verbs;
use crate::ending;
use crate::error::Error;

impl Verbs<'_> {
    /// Has hosts run a plugin in that process. If it runs, it is moved there first, with its state.
    pub(crate) fn isolate(self, name: &str, to: Isolation, wait_ms: Option<u64>) -> Result<Changed, Error> {
        let (changed, moved) = if self.core.table.plugin(name).is_none() || self.is_from_store(name)? {
            self.isolate_for_good(name, to)?
        } else {
            (true, Some(move_to(self.core, name, Placed::new(to, PlacedBy::Command))?))
        };
        let replaced = moved.map(|moved| ending::replaced(self.core, moved, wait_ms));
        let mut changed = Changed::new(changed, self.view(name)?);
        changed.replaced = replaced;
        Ok(changed)
    }

    /// Whether the next host would load a plugin from the store.
    fn is_from_store(self, name: &str) -> Result<bool, Error> {
        Ok(self.attached.store.state()?.settings(name).enabled && self.is_not_declared(name).is_ok())
    }

    fn isolate_for_good(self, name: &str, to: Isolation) -> Result<(bool, Option<Upgraded>), Error> {
        self.is_not_declared(name)?;
        let mut change = self.attached.store.change()?;
        self.settle(name)?;
        let runs = self.core.view(name).and_then(|plugin| Some((plugin.isolation?, plugin.status)));
        let (placed, mut moved) = (Placed::new(to.clone(), PlacedBy::Store), None);
        let changed = change.isolate::<Error>(name, to.clone(), || {
            match &runs {
                Some((before, _)) if before.process == to => self.core.table.placed(name, &placed),
                // It is unloaded below.
                None | Some((_, Status::Stopped)) => {}
                Some(_) => moved = Some(move_to(self.core, name, placed)?),
            }
            Ok(())
        });
        let changed = changed.inspect_err(|_| {
            let Some((before, _)) = &runs else { return };
            if moved.is_none() {
                self.core.table.placed(name, before);
            } else if let Err(error) = move_to(self.core, name, before.clone()) {
                log!(error, plugin = name, "it runs in another process than the store says: {error}");
            }
        })?;
        if runs.is_some_and(|(before, _)| before.process != to) {
            self.leave_stopped(name)?;
        }
        Ok((changed, moved))
    }
}

/// Moves a running plugin to that process, with its state.
pub(crate) fn move_to(core: &Arc<Core>, name: &str, to: Placed) -> Result<Upgraded, Error> {
    let plugin = core.table.plugin(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?;
    // SAFETY: it is loaded. So it came from a store, whose files the caller of `Manager::open_store` trusts, or by a
    // command, and the caller of `Manager::new` trusts whatever that names, or by the program, which manages this host.
    Ok(unsafe { core.move_to(&plugin, to)? })
}
