//! Plugins that hold more memory than they may.

use hookrail_dispatch::Owner;

use super::Table;

/// A plugin that has come to hold more than it may.
pub(in crate::host) struct Over {
    pub(in crate::host) plugin: String,
    pub(in crate::host) generation: u64,
    pub(in crate::host) owner: Owner,
    pub(in crate::host) bytes: u64,
    pub(in crate::host) max: u64,
}

impl Table {
    /// Those that have come to hold more than they may since the last look. One that is called again
    /// all the same is told of again when it has held less in between.
    pub(in crate::host) fn weigh(&self) -> Vec<Over> {
        let mut names = self.names.lock();
        let over = names.by_name.iter_mut().filter_map(|(name, entry)| {
            let current = entry.current.as_mut()?;
            let meter = current.meter.as_ref()?;
            let (bytes, max) = (meter.held().bytes, meter.max()?);
            let was_over = std::mem::replace(&mut current.is_over, bytes > max);
            let is_news = current.is_over && !was_over;
            let (generation, owner) = (entry.generation, current.owner);
            is_news.then(|| Over { plugin: name.clone(), generation, owner, bytes, max })
        });
        over.collect()
    }

    /// Whether it held more than it may when it was last looked at.
    pub(in crate::host) fn is_over(&self, owner: Owner) -> bool {
        let names = self.names.lock();
        names.by_name.values().filter_map(|entry| entry.current.as_ref()).any(|it| it.owner == owner && it.is_over)
    }
}
