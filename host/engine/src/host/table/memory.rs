//! Plugins that exceed their memory limit.

use std::collections::HashMap;
use std::sync::Arc;

use hookrail_dispatch::Owner;
use hookrail_loader::Meter;

use super::Table;

/// A plugin that has exceeded its limit.
pub(in crate::host) struct Over {
    pub(in crate::host) plugin: String,
    pub(in crate::host) generation: u64,
    pub(in crate::host) owner: Owner,
    pub(in crate::host) bytes: u64,
    pub(in crate::host) max: u64,
}

impl Table {
    /// The plugins that have exceeded their limit since the last check. A plugin that is called again although it is
    /// over its limit is reported again only after it has been below the limit.
    pub(in crate::host) fn weigh(&self) -> Vec<Over> {
        // Without the lock: a sum reads the counters of all threads.
        let held: HashMap<_, _> = self.meters().into_iter().map(|(owner, meter)| (owner, meter.held().bytes)).collect();
        let mut names = self.names.lock();
        let over = names.by_name.iter_mut().filter_map(|(name, entry)| {
            let current = entry.current.as_mut()?;
            let (bytes, max) = (*held.get(&current.owner)?, current.meter.as_ref()?.max()?);
            let was_over = std::mem::replace(&mut current.is_over, bytes > max);
            let is_news = current.is_over && !was_over;
            let (generation, owner) = (entry.generation, current.owner);
            is_news.then(|| Over { plugin: name.clone(), generation, owner, bytes, max })
        });
        over.collect()
    }

    /// The meters of the serving generations that count their memory.
    fn meters(&self) -> Vec<(Owner, Arc<Meter>)> {
        let names = self.names.lock();
        let currents = names.by_name.values().filter_map(|entry| entry.current.as_ref());
        currents.filter_map(|current| Some((current.owner, current.meter.clone()?))).collect()
    }

    /// Whether it exceeded its memory limit at the last check.
    pub(in crate::host) fn is_over(&self, owner: Owner) -> bool {
        let names = self.names.lock();
        names.by_name.values().filter_map(|entry| entry.current.as_ref()).any(|it| it.owner == owner && it.is_over)
    }
}
