//! What hosts load, each after what it needs.

use std::collections::{BTreeSet, VecDeque};

use hookrail_package::Trust;

use crate::error::Error;
use crate::library::Wanted;
use crate::store::Store;

/// A plugin that hosts shall load.
#[derive(Debug)]
pub struct Enabled {
    /// Its name.
    pub name: String,
    /// What they load of it, or why they cannot.
    pub wanted: Result<Wanted, Error>,
}

impl Store {
    /// What hosts load of the plugins that they shall load, each after those it needs, and looked at when its
    /// turn comes.
    pub fn enabled(&self) -> Result<impl Iterator<Item = Enabled>, Error> {
        let (state, trust) = (self.state()?, Trust::read(self.home())?);
        let names = state.enabled().map(str::to_owned).collect();
        Ok(InOrder::new(names, move |name| Enabled { name: name.into(), wanted: self.wanted_in(&state, &trust, name) }))
    }
}

/// Each after those it needs, otherwise by name; so are those that need each other. Each is looked at when
/// its turn comes.
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
        // What is taken already, or is being taken, is not left.
        if self.left.remove(name) {
            let plugin = (self.look)(name);
            if let Ok(Wanted { requires, .. }) = &plugin.wanted {
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
