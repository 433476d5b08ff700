//! The generations of a host that are on probation. The watchdog checks on them.

use std::time::Instant;

use hookrail_dispatch::Owner;

use super::{Entry, Table};

impl Table {
    /// Records why a generation did not pass its probation, if that has not ended otherwise.
    pub(in crate::host) fn not_passed(&self, owner: Owner, reason: String) {
        let mut names = self.names.lock();
        let mut probations = names.by_name.values_mut().flat_map(|entry| &mut entry.probations);
        if let Some(probation) = probations.find(|probation| probation.owner == owner) {
            probation.not_passed = Some(reason);
        }
    }

    /// The generations that must be rolled back, and why. Each is returned once, until [`not_passed`](Self::not_passed)
    /// records it again.
    pub(in crate::host) fn take_not_passed(&self) -> Vec<(Owner, String)> {
        let mut names = self.names.lock();
        let probations = names.by_name.values_mut().flat_map(|entry| &mut entry.probations);
        probations.filter_map(|probation| Some((probation.owner, probation.not_passed.take()?))).collect()
    }

    /// Whether any generation must be rolled back.
    pub(in crate::host) fn has_not_passed(&self) -> bool {
        let names = self.names.lock();
        names.by_name.values().flat_map(|entry| &entry.probations).any(|probation| probation.not_passed.is_some())
    }

    /// The name of the plugin whose generation is on probation, unless that has ended.
    pub(in crate::host) fn on_probation(&self, owner: Owner) -> Option<String> {
        let names = self.names.lock();
        let is_it = |entry: &Entry| entry.probations.iter().any(|probation| probation.owner == owner);
        names.by_name.iter().find_map(|(name, entry)| is_it(entry).then(|| name.clone()))
    }

    /// Drops the rollback points of the generations that have passed. One that failed at the last moment stays until
    /// its signal has arrived.
    pub(in crate::host) fn pass_probations(&self) {
        let mut names = self.names.lock();
        let all = names
            .by_name
            .values_mut()
            .flat_map(|entry| entry.probations.extract_if(.., |probation| probation.probation.pass()));
        let passed: Vec<_> = all.collect();
        drop(names);
        // Without the lock, since the copies may be large.
        drop(passed);
    }

    /// When the next probation ends.
    pub(in crate::host) fn next_probation(&self) -> Option<Instant> {
        let names = self.names.lock();
        names
            .by_name
            .values()
            .flat_map(|entry| &entry.probations)
            .filter_map(|probation| probation.probation.ends())
            .min()
    }
}
