//! Plugins that hold more memory than they may.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::table::Metered;
use crate::chain::{Callback, Owner};
use crate::config::Config;
use crate::fault::Placed;

/// Which plugins held more than they may when they were last looked at.
#[derive(Default)]
pub(super) struct Quotas {
    over: HashSet<Owner>,
}

/// A plugin that has come to hold more than it may.
pub(super) struct Over {
    pub(super) plugin: String,
    pub(super) generation: u64,
    pub(super) owner: Owner,
    pub(super) bytes: u64,
    pub(super) max: u64,
}

impl Quotas {
    /// Those that have come to hold more than they may since the last look. One that is called again
    /// all the same is told of again when it has held less in between.
    pub(super) fn look(&mut self, core: &Core) -> Vec<Over> {
        let over: Vec<_> = core.table.metered().into_iter().filter_map(over).collect();
        let before = std::mem::replace(&mut self.over, over.iter().map(|over| over.owner).collect());
        over.into_iter().filter(|over| !before.contains(&over.owner)).collect()
    }

    /// Whether it held more than it may when it was last looked at.
    pub(super) fn is_over(&self, owner: Owner) -> bool {
        self.over.contains(&owner)
    }

    /// When to look again, if anybody may hold only so much.
    pub(super) fn next(config: &Config) -> Option<Instant> {
        const PAUSE: Duration = Duration::from_millis(100);
        config.plugins.values().any(|plugin| plugin.memory_max.is_some()).then(|| Instant::now() + PAUSE)
    }
}

impl Over {
    /// Its callbacks that stand in chains.
    pub(super) fn callbacks(&self, core: &Core) -> Vec<Placed> {
        let mut found = Vec::new();
        core.registry.each(|look| {
            let is_its = |callback: &&Arc<Callback>| callback.owner == self.owner && callback.enabled;
            let its = look.callbacks.iter().filter(is_its);
            found.extend(its.map(|callback| Placed::of(look.state.chain.point, callback)));
        });
        found
    }
}

fn over(metered: Metered) -> Option<Over> {
    let Metered { plugin, generation, owner, meter } = metered;
    let (bytes, max) = (meter.held().bytes, meter.max()?);
    (bytes > max).then_some(Over { plugin, generation, owner, bytes, max })
}
