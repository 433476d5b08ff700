//! The plugins that hosts load, each after those it requires.

use std::collections::{BTreeSet, VecDeque};

use hookrail_package::Trust;

use crate::error::Error;
use crate::library::LoadSpec;
use crate::store::Store;

/// An enabled plugin.
#[derive(Debug)]
#[non_exhaustive]
pub struct Enabled {
    /// Its name.
    pub name: String,
    /// What hosts load for it, or why they cannot.
    pub spec: Result<LoadSpec, Error>,
}

impl Store {
    /// What hosts load for the enabled plugins. Each comes after those it requires, and is examined when its turn
    /// comes.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn enabled(&self) -> Result<impl Iterator<Item = Enabled>, Error> {
        let (state, trust) = (self.state()?, Trust::read(self.home())?);
        let names = state.enabled().map(str::to_owned).collect();
        Ok(InOrder::new(names, move |name| Enabled {
            name: name.into(),
            spec: self.load_spec_in(&state, &trust, name),
        }))
    }
}

/// The enabled plugins, each after those it requires, otherwise by name; plugins that require each other are also
/// ordered by name. Each is examined when its turn comes.
struct InOrder<F> {
    left: BTreeSet<String>,
    ready: VecDeque<Enabled>,
    look: F,
}

impl<F: Fn(&str) -> Enabled> InOrder<F> {
    fn new(names: BTreeSet<String>, look: F) -> Self {
        InOrder { left: names, ready: VecDeque::new(), look }
    }

    fn take(&mut self, name: &str) {
        // A plugin that has been taken, or is being taken, is not left.
        if self.left.remove(name) {
            let plugin = (self.look)(name);
            if let Ok(LoadSpec { requires, .. }) = &plugin.spec {
                requires.iter().for_each(|needed| self.take(needed));
            }
            self.ready.push_back(plugin);
        }
    }
}

impl<F: Fn(&str) -> Enabled> Iterator for InOrder<F> {
    type Item = Enabled;

    fn next(&mut self) -> Option<Enabled> {
        if self.ready.is_empty()
            && let Some(first) = self.left.first().cloned()
        {
            self.take(&first);
        }
        self.ready.pop_front()
    }
}
