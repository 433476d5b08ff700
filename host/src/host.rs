//! The host: what an embedder holds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::ptr::from_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::Point;
use hookrail_abi::boundary::RawCallback;
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use parking_lot::Mutex;

use crate::admission::layout;
use crate::chain::{Chain, Outcome, Owner};
use crate::config::{Config, HookOverride};
use crate::embed::{Callbacks, Registered};
use crate::error::{ApiMisuse, Error};
use crate::library::End;
use crate::pin::Pin;
use crate::plugin::{Lifecycle, Loaded};
use crate::registry::{PointState, Registry};
use crate::unload::{Reaper, Ticket};
use crate::view::{self, PluginView, PointView};
use crate::{builtin, said};

/// A host of plugins. When it is dropped its plugins are unloaded.
///
/// All methods take `&self` and may be called from any thread, from within callbacks too. The child
/// of a fork may dispatch, register and unregister; unloading is for the process that loaded.
pub struct Host {
    config: Config,
    registry: Arc<Registry>,
    plugins: Mutex<BTreeMap<String, Slot>>,
    owners: AtomicU64,
    reaper: Reaper,
}

/// A name in the table of plugins.
enum Slot {
    /// Somebody is loading a plugin of that name.
    Loading,
    Loaded {
        view: PluginView,
        lifecycle: Lifecycle,
        owner: Owner,
    },
}

/// A loaded plugin, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    name: String,
    owner: Owner,
}

/// Who decided a dispatch, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The callback, as `instance/callback`.
    pub by: String,
    /// The reason it said; may be empty.
    pub reason: String,
}

impl Host {
    /// A host with the built-in points and the built-in callback on `message.publish`.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.check()?;
        if !layout::install_globals() {
            tracing::warn!(
                "abi_stable was used before the host started: checks by other code of this program may read unloaded memory"
            );
        }
        let registry = Arc::new(Registry::new());
        registry.declare::<MessagePublish>()?;
        registry.declare::<MessageDelivered>()?;
        registry.declare::<MessageDropped>()?;
        let limits = config.message.clone();
        let host =
            Host { config, registry, plugins: Mutex::default(), owners: AtomicU64::new(0), reaper: Reaper::default() };
        host.register(builtin::callbacks(limits))?;
        Ok(host)
    }

    /// Loads a plugin: copies and checks its file, opens it, starts its configured instances, and
    /// registers all their callbacks in one transaction. When anything fails nothing is left.
    ///
    /// # Safety
    /// The library's code runs in this process with all its rights. The checks find mistakes; they
    /// do not contain malice, and they cannot see what the code does with memory.
    pub unsafe fn load(&self, file: impl AsRef<Path>) -> Result<Plugin, Error> {
        // SAFETY: the caller's contract.
        let mut loaded = unsafe { Loaded::open(file.as_ref(), &self.config.unload)? };
        let name = loaded.note().name.clone();
        if let Err(error) = self.reserve(&name) {
            loaded.abandon();
            return Err(error);
        }
        let owner = self.next_owner();
        let started = loaded.start(&self.config, &self.registry, owner);
        let added = started.and_then(|additions| Ok(self.registry.add(additions)?));
        let mut plugins = self.plugins.lock();
        match added {
            Ok(()) => {
                tracing::debug!(plugin = name, "loaded");
                let (view, lifecycle) = (loaded.view(), Arc::new(Mutex::new(Some(loaded))));
                plugins.insert(name.clone(), Slot::Loaded { view, lifecycle, owner });
                Ok(Plugin { name, owner })
            }
            Err(error) => {
                plugins.remove(&name);
                drop(plugins);
                loaded.abandon();
                Err(error)
            }
        }
    }

    /// Unloads a plugin: takes its callbacks out of their chains, waits until nobody is in them,
    /// stops and drops its instances, closes the library, and says what really happened.
    ///
    /// Past the configured deadline the answer is [`End::Busy`] and it goes on in the background;
    /// from within a callback that is so at once, since it would wait for its own caller.
    pub fn unload(&self, plugin: Plugin) -> Result<End, Error> {
        // Twice the deadline: past the first, readers elsewhere are not waited for any longer.
        Ok(self.begin_unload(plugin)?.wait(self.config.unload.deadline * 2))
    }

    /// Takes a plugin's callbacks out of their chains, and leaves the rest to the background.
    pub fn begin_unload(&self, plugin: Plugin) -> Result<Ticket, Error> {
        let mut plugins = self.plugins.lock();
        let is_it = matches!(plugins.get(&plugin.name), Some(Slot::Loaded { owner, .. }) if *owner == plugin.owner);
        match is_it.then(|| plugins.remove(&plugin.name)).flatten() {
            Some(Slot::Loaded { lifecycle, owner, .. }) => {
                drop(plugins);
                Ok(self.reaper.unload(
                    plugin.name,
                    lifecycle,
                    owner,
                    self.registry.clone(),
                    self.config.unload.deadline,
                ))
            }
            _ => Err(ApiMisuse::NotLoaded(plugin.name).into()),
        }
    }

    /// Hands a new configuration to a running instance (`mask`, `mask:logs`): held against the
    /// plugin's schema, then taken or refused by the plugin. When it is refused the old one stays.
    pub fn reload(&self, instance: &str, config: &serde_json::Value) -> Result<(), Error> {
        let plugin = instance.split_once(':').map_or(instance, |(plugin, _)| plugin);
        let not_loaded = || ApiMisuse::NotLoaded(instance.into());
        let lifecycle = match self.plugins.lock().get(plugin) {
            Some(Slot::Loaded { lifecycle, .. }) => lifecycle.clone(),
            _ => return Err(not_loaded().into()),
        };
        let loaded = lifecycle.lock();
        loaded.as_ref().ok_or_else(not_loaded)?.reload(instance, config)
    }

    /// The loaded plugin of that name.
    pub fn plugin(&self, name: &str) -> Option<Plugin> {
        match self.plugins.lock().get(name) {
            Some(Slot::Loaded { owner, .. }) => Some(Plugin { name: name.into(), owner: *owner }),
            _ => None,
        }
    }

    /// The loaded plugins, by name.
    pub fn plugins(&self) -> Vec<PluginView> {
        let plugins = self.plugins.lock();
        let views = plugins.values().filter_map(|slot| match slot {
            Slot::Loaded { view, .. } => Some(view.clone()),
            Slot::Loading => None,
        });
        views.collect()
    }

    /// A point, to dispatch on. The first use of an embedder's own point declares it, which must
    /// come before plugins that hook it are loaded.
    pub fn point<P: Point>(&self) -> Result<HookPoint<P>, Error> {
        Ok(HookPoint { state: self.registry.declare::<P>()?, point: std::marker::PhantomData })
    }

    /// Runs `read` with all chains as they are now: a plugin that is loaded or unloaded meanwhile
    /// is either in all of them or in none. Nothing that was published is freed until it returns,
    /// so keep it short; an unloading waits for it.
    pub fn pin<R>(&self, read: impl FnOnce(&Pin<'_>) -> R) -> R {
        self.registry.pin(|root| read(&Pin::new(root)))
    }

    /// Every point with its chain, by name.
    pub fn points(&self) -> Vec<PointView> {
        view::points(&self.registry)
    }

    /// Registers callbacks of the embedding program: all of them, or none. The operator's overrides
    /// are about plugins; the program may read its own configuration.
    pub fn register(&self, callbacks: Callbacks) -> Result<Registered, Error> {
        Ok(callbacks.register(&self.registry, self.next_owner())?)
    }

    /// Takes callbacks out of their chains. Cannot fail, and does not wait: dispatches that run
    /// already may still call them, and if there are any they are dropped by the first change of
    /// chains behind them.
    pub fn unregister(&self, registered: Registered) {
        self.registry.remove(registered.0);
    }

    /// Who decided, and why. The reason is that of the last denial on this thread: ask before
    /// dispatching again.
    pub fn decision(&self, outcome: &Outcome) -> Option<Decision> {
        let by = self.registry.names.name(outcome.decided_by?).to_string();
        Some(Decision { by, reason: if outcome.is_denied() { said::reason() } else { String::new() } })
    }

    /// The operator's overrides that are about no registered callback: misspelt, or their plugin is
    /// not loaded.
    pub fn unused_overrides(&self) -> Vec<&HookOverride> {
        let mut unused: Vec<_> = self.config.hooks.iter().collect();
        self.registry.each(|state, callbacks| {
            unused.retain(|hook| {
                let is_it =
                    |(instance, name)| callbacks.iter().any(|it| (&*it.instance, &*it.name) == (instance, name));
                hook.point != state.chain.point || !hook.callback.split_once('/').is_some_and(is_it)
            });
        });
        unused
    }

    /// The configuration the host was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn reserve(&self, name: &str) -> Result<(), Error> {
        let mut plugins = self.plugins.lock();
        if plugins.contains_key(name) {
            return Err(ApiMisuse::AlreadyLoaded(name.into()).into());
        }
        plugins.insert(name.into(), Slot::Loading);
        Ok(())
    }

    fn next_owner(&self) -> Owner {
        // Relaxed: only distinctness matters.
        Owner(self.owners.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let names: Vec<_> = self.plugins.get_mut().keys().cloned().collect();
        let tickets: Vec<_> = names
            .iter()
            .filter_map(|name| self.plugin(name))
            .filter_map(|plugin| self.begin_unload(plugin).ok())
            .collect();
        for ticket in tickets {
            let end = ticket.wait(self.config.unload.deadline * 2);
            if !end.is_unmapped() {
                tracing::debug!(plugin = ticket.plugin(), "{end}");
            }
        }
        // Points may outlive their host.
        self.registry.clear();
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("plugins", &self.plugins()).finish_non_exhaustive()
    }
}

impl Plugin {
    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A point of a host, to dispatch on. Cheap to clone; it may outlive the host, and then has no
/// callbacks.
#[derive(Debug)]
pub struct HookPoint<P> {
    state: Arc<PointState>,
    point: std::marker::PhantomData<fn(P)>,
}

impl<P> Clone for HookPoint<P> {
    fn clone(&self) -> Self {
        HookPoint { state: self.state.clone(), point: std::marker::PhantomData }
    }
}

impl<P: Point> HookPoint<P> {
    /// Runs the chain: every callback in order, until one decides.
    ///
    /// Costs a load and a branch when nobody hooks the point, and otherwise the calls themselves
    /// and about a nanosecond. Makes no system call and takes no lock. Not for signal handlers.
    // Always: a call and its spills would cost as much again as what it does.
    #[inline(always)]
    pub fn dispatch(&self, payload: &mut P::Payload) -> Outcome {
        // SAFETY: the payload is that of the point, and exclusive.
        unsafe { self.state.chain.dispatch(from_mut(payload).cast(), const { P::NOBODY }) }
    }

    /// Whether any callback would run: worth asking before building an expensive payload.
    #[inline]
    pub fn is_hooked(&self) -> bool {
        self.state.chain.is_hooked()
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.state.chain
    }

    /// The code and the context of each callback, in order: the baseline that benchmarks compare
    /// with. Calling one is only sound while its owner stays registered.
    #[doc(hidden)]
    pub fn raw_pairs(&self) -> Vec<(RawCallback, *mut std::ffi::c_void)> {
        self.state.chain.parts()
    }
}
