//! What is installed, in the host that loads it: each verb changes the store and the host, or neither.
//!
//! 1. [`Host::open_store`] gives a host its store, and loads what is enabled. [`Stock`] is what the host
//!    remembers of it.
//! 2. A verb of the [`Manager`] begins a [`Change`](crate::store::Change). Where the host could refuse
//!    what comes, it is asked before the change is written: a library is loaded or takes the place of
//!    another while the store still says what was.
//! 3. Where it is written and fails, the host goes back to what the store says.
//! 4. Where the host gives up a version on probation, the store follows it.
//! 5. The same verbs serve where no host runs: [`Offline`] has one that loads nothing.

mod apply;
mod config;
mod fallback;
mod incoming;
mod list;
mod offline;
mod plan;
mod start;
mod verbs;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

pub use self::offline::Offline;
pub use self::start::NotLoaded;
pub(crate) use self::verbs::Swap;
use crate::config::Wishes;
use crate::error::{ApiMisuse, Error};
use crate::host::{Core, Host};
use crate::store::{Library, Store, Wanted};

/// The store of a host.
pub(crate) struct Stock {
    store: Store,
    /// Whether what is enabled is loaded.
    is_live: bool,
    /// Why enabled plugins are not loaded, by name.
    failed: Mutex<BTreeMap<String, String>>,
    /// What the host went back from by itself, by the plugin's name, until something else is done to it.
    given_up: Mutex<BTreeMap<String, String>>,
}

/// A host and its store.
#[derive(Clone, Copy)]
pub(crate) struct Manager<'a> {
    core: &'a Arc<Core>,
    stock: &'a Stock,
}

impl Host {
    /// Gives the host what is installed: loads what is enabled there, and has operators change what is
    /// installed by the host's control channel. Answers what was enabled and could not be loaded; the
    /// rest goes on.
    ///
    /// What the host's configuration says of a plugin goes before what the store says. A host has one
    /// store, for good.
    ///
    /// ```
    /// use hookrail::package::Home;
    /// use hookrail::store::Store;
    /// use hookrail::{Config, Host, NotLoaded};
    ///
    /// # let folder = std::env::temp_dir().join(format!("hookrail-doc-store-{}", std::process::id()));
    /// # let config = Config { home: Some(folder.clone()), ..Config::default() };
    /// let host = Host::new(config)?;
    /// let store = Store::open(Home::open(&host.config().home())?)?;
    /// // SAFETY: we trust whom the operator trusts.
    /// for NotLoaded { plugin, error } in unsafe { host.open_store(store)? } {
    ///     eprintln!("{plugin} is enabled and was not loaded: {error}");
    /// }
    /// assert!(host.plugins().is_empty(), "nothing was ever installed there");
    /// # drop(host);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), hookrail::Error>(())
    /// ```
    ///
    /// # Safety
    /// As for [`load`](Host::load), for all that is installed, now and later: who can sign for a key that
    /// is trusted in that home, or can write there, is trusted as this program.
    pub unsafe fn open_store(&self, store: Store) -> Result<Vec<NotLoaded>, Error> {
        let manager = self.give(store, true)?;
        manager.load_enabled()
    }

    fn give(&self, store: Store, is_live: bool) -> Result<Manager<'_>, ApiMisuse> {
        let stock = Stock { store, is_live, failed: Mutex::default(), given_up: Mutex::default() };
        self.core.stock.set(stock).map_err(|_| ApiMisuse::StoreThere)?;
        Ok(Manager::of(&self.core).expect("it was set just now"))
    }
}

impl<'a> Manager<'a> {
    /// That of a host, if it has a store.
    pub(crate) fn of(core: &'a Arc<Core>) -> Option<Self> {
        core.stock.get().map(|stock| Manager { core, stock })
    }

    /// What a plugin begins with beside the host's configuration.
    fn wishes(self, wanted: &Wanted) -> Wishes {
        let Wanted { library: Library { name, .. }, config, hooks, .. } = wanted;
        let is_set = !config.is_null() && self.host_says(name).is_none();
        Wishes { configs: is_set.then(|| (name.clone(), config.clone())).into_iter().collect(), hooks: hooks.clone() }
    }

    /// How the host's own configuration configures a plugin, if it does.
    fn host_says(self, name: &str) -> Option<Value> {
        let plugin = self.core.config.plugins.get(name)?;
        let instances =
            || plugin.instances.iter().map(|(key, instance)| (key.clone(), instance.config.clone())).collect();
        match (plugin.config.is_null(), plugin.instances.is_empty()) {
            (true, true) => None,
            (false, _) => Some(plugin.config.clone()),
            (true, false) => Some(Value::Object(instances())),
        }
    }
}
