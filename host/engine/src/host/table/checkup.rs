//! Which plugins are asked for their health, and which of them have not answered yet.

use std::time::{Duration, Instant};

use hookrail_dispatch::Owner;
use hookrail_model::health::Health;
use hookrail_model::units::duration_text;
use hookrail_model::view::Status;

use super::said::{Asking, Said};
use super::{Current, Table};
use crate::plugin::Lifecycle;

/// A plugin that is to be asked for its health.
pub(in crate::host) struct Asked {
    pub(in crate::host) plugin: String,
    pub(in crate::host) owner: Owner,
    pub(in crate::host) lifecycle: Lifecycle,
}

impl Table {
    /// The plugins with instances that are not being asked already. Each is being asked from now on, until
    /// [`answered`](Self::answered).
    pub(in crate::host) fn ask(&self) -> Vec<Asked> {
        let mut names = self.names.lock();
        let asked = names.by_name.iter_mut().filter_map(|(name, entry)| {
            let has_instances = |current: &&mut Current| matches!(current.status, Status::Halted | Status::Running);
            let current = entry.current.as_mut().filter(has_instances)?;
            if current.asked.is_some() {
                return None;
            }
            current.asked = Some(Asking { since: Instant::now(), is_told: false });
            Some(Asked { plugin: name.clone(), owner: current.owner, lifecycle: current.lifecycle.clone() })
        });
        asked.collect()
    }

    /// Records what a plugin that was asked has said, if it has said anything. Returns its generation if that is
    /// something else than before.
    pub(in crate::host) fn answered(&self, plugin: &str, owner: Owner, said: Option<&Said>) -> Option<u64> {
        let mut names = self.names.lock();
        let entry = names.by_name.get_mut(plugin)?;
        let current = entry.current.as_mut().filter(|current| current.owner == owner)?;
        current.asked = None;
        let said = said.filter(|said| current.said != **said)?;
        // What came too late may be about instances that have ended.
        if !matches!(current.status, Status::Halted | Status::Running) {
            return None;
        }
        current.said = said.clone();
        Some(entry.generation)
    }

    /// The plugins that have not answered for that long, each returned once, with their generation and what that makes
    /// of them.
    pub(in crate::host) fn take_silent(&self, deadline: Duration) -> Vec<(String, u64, Said)> {
        let mut names = self.names.lock();
        let silent = names.by_name.iter_mut().filter_map(|(name, entry)| {
            let current = entry.current.as_mut()?;
            let asked = current.asked.as_mut().filter(|asked| !asked.is_told && asked.since.elapsed() >= deadline)?;
            asked.is_told = true;
            let reason = format!("its health has not returned within {}", duration_text(deadline));
            current.said = Said { health: Health::Degraded, reason: Some(reason) };
            Some((name.clone(), entry.generation, current.said.clone()))
        });
        silent.collect()
    }

    /// When the next plugin will have been silent for that long.
    pub(in crate::host) fn next_silent(&self, deadline: Duration) -> Option<Instant> {
        let names = self.names.lock();
        let currents = names.by_name.values().filter_map(|entry| entry.current.as_ref());
        let asked = currents.filter_map(|current| current.asked.as_ref()).filter(|asked| !asked.is_told);
        asked.map(|asked| asked.since + deadline).min()
    }
}
