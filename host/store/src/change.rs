//! The right to change the store, and how each change happens: as a whole, or not at all.

use hookrail_model::package::Metadata;
use hookrail_package::{Locked, Trust};
use semver::Version;

use crate::collect::collect;
use crate::config::purge;
use crate::error::Error;
use crate::examine::{Depth, examine};
use crate::library::LoadSpec;
use crate::state::{InstalledVersion, PluginSettings, State, holds};
use crate::store::Store;
use crate::unpack::sync;

impl Store {
    /// Begins a change.
    ///
    /// # Errors
    /// If another process holds the lock, or the store cannot be read.
    pub fn change(&self) -> Result<Change<'_>, Error> {
        Change::begin(self)
    }
}

/// The right to change the store, until it is dropped. One process has it at a time.
///
/// # Invariants
/// `state` is what `state.json` says. `before` is what it may say again after a crash: the state before a change that
/// failed in such a way that it may or may not be on disk.
#[derive(Debug)]
pub struct Change<'a> {
    pub(super) store: &'a Store,
    pub(super) state: State,
    before: Option<State>,
    pub(super) locked: Locked<'a>,
}

impl<'a> Change<'a> {
    fn begin(store: &'a Store) -> Result<Self, Error> {
        let locked = store.home().lock()?;
        // INVARIANT: no other process writes it while we hold the lock. It may have been written by a process that was
        // killed before it was synced: now it is synced, before anything that it does not name is removed.
        let change = Change { store, state: store.state()?, before: None, locked };
        sync(store.home().path())?;
        change.collect();
        Ok(change)
    }

    /// The current state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Refuses a plugin that is neither installed nor prebuilt.
    pub(super) fn is_there(&self, name: &str) -> Result<(), Error> {
        self.store.is_there(&self.state, name)
    }

    pub(super) fn load_spec(&self, name: &str) -> Result<LoadSpec, Error> {
        self.store.load_spec_in(&self.state, &Trust::read(self.store.home())?, name)
    }

    pub(super) fn examine(
        &self,
        name: &str,
        version: &Version,
        installed: &InstalledVersion,
    ) -> Result<Metadata, Error> {
        let trust = Trust::read(self.store.home())?;
        examine(self.store, &trust, name, version, installed, Depth::Files)
    }

    pub(super) fn desire(&mut self, name: &str, change: impl FnOnce(&mut PluginSettings)) -> Result<(), Error> {
        let mut state = self.state.clone();
        change(state.settings.entry(name.into()).or_default());
        self.write(state)
    }

    /// Writes the state, and then removes what it does not name.
    pub(super) fn write(&mut self, mut state: State) -> Result<(), Error> {
        state.allowances.retain(holds);
        let written = state.write(&self.locked);
        if written.is_err() {
            // INVARIANT: a write that failed at its very end has taken effect all the same, so the state is read again.
            let found = self.store.state().unwrap_or(state);
            self.before = Some(std::mem::replace(&mut self.state, found));
        } else {
            (self.state, self.before) = (state, None);
        }
        self.collect();
        written
    }

    /// Removes what is no longer needed. Failures are ignored.
    pub(super) fn collect(&self) {
        let states = || [Some(&self.state), self.before.as_ref()].into_iter().flatten();
        collect(self.store, |name, version| states().any(|state| state.has(name, version)));
        purge::collect(self.store, |name| {
            let mut named = states().map(|state| state.plugins.contains_key(name));
            let first = named.next()?;
            named.all(|other| other == first).then_some(first)
        });
    }
}

/// Agrees with every change: for a store that no host has loaded from.
pub fn agree<T: ?Sized>(_: &T) -> Result<(), Error> {
    Ok(())
}
