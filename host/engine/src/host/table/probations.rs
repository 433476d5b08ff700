//! The generations of a host that are on probation. The watchdog sees to them.

use std::time::Instant;

use hookrail_dispatch::Owner;

use super::Table;
use super::probation::ProbationEntry;

impl Table {
    /// A generation did not pass its probation, for that reason: unless it is over otherwise.
    pub(in crate::host) fn not_passed(&self, owner: Owner, reason: String) {
        let mut names = self.names.lock();
        let mut probations = names.by_name.values_mut().flat_map(|entry| &mut entry.probations);
        if let Some(probation) = probations.find(|probation| probation.owner == owner) {
            probation.not_passed = Some(reason);
        }
    }

    /// The generations that are to be gone back from, and why: each once, until [`not_passed`](Self::not_passed) says
    /// so again.
    pub(in crate::host) fn take_not_passed(&self) -> Vec<(Owner, String)> {
        let mut names = self.names.lock();
        let probations = names.by_name.values_mut().flat_map(|entry| &mut entry.probations);
        probations.filter_map(|probation| Some((probation.owner, probation.not_passed.take()?))).collect()
    }

    /// Whether any generation is to be gone back from.
    pub(in crate::host) fn has_not_passed(&self) -> bool {
        let names = self.names.lock();
        names.by_name.values().flat_map(|entry| &entry.probations).any(|probation| probation.not_passed.is_some())
    }

    /// Takes out a probation, unless it is over, with the plugin's name.
    pub(in crate::host) fn take_probation(&self, owner: Owner) -> Option<(String, ProbationEntry)> {
        let mut names = self.names.lock();
        names.by_name.iter_mut().find_map(|(name, entry)| {
            let index = entry.probations.iter().position(|probation| probation.owner == owner)?;
            Some((name.clone(), entry.probations.swap_remove(index)))
        })
    }

    /// Forgets the ways back of those that have passed. One that has not, at the last moment, stays until
    /// the finding of it is there.
    pub(in crate::host) fn pass_probations(&self) {
        let mut names = self.names.lock();
        let all = names
            .by_name
            .values_mut()
            .flat_map(|entry| entry.probations.extract_if(.., |probation| probation.probation.pass()));
        let passed: Vec<_> = all.collect();
        drop(names);
        // Without the lock: the copies may be large.
        drop(passed);
    }

    /// When the time of the next one is over.
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
