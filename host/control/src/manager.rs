//! Managing a host: its store, its commands, its sockets.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use hookrail_engine::{Core, Host};
use hookrail_model::command::{Command, Events};
use hookrail_model::error::ApiMisuse;
use hookrail_model::metrics::Family;
use hookrail_store::Store;
use serde_json::{Map, Value};

use crate::attached_store::AttachedStore;
use crate::call::{Call, Caller};
use crate::commands::{Commands, Handler};
use crate::error::Error;
use crate::feed::{EventFeed, Feed, Feeds};
use crate::keeper::{Managed, StoreKeeper};
use crate::manage::Manage;
use crate::standard::{self, Meters};
use crate::verbs::{NotLoaded, Verbs};

/// Manages a host: executes commands on it, and on its store once it has one.
///
/// Cheap to clone. It may outlive the host; then it refuses every command.
#[derive(Clone)]
pub struct Manager {
    shared: Arc<Shared>,
}

struct Shared {
    core: Weak<Core>,
    attached: OnceLock<AttachedStore>,
    commands: Commands,
    feeds: Feeds,
    meters: Meters,
}

impl Manager {
    /// Creates the manager of a host, without a store. Create one per host and clone it: clones share the store and the
    /// commands, while another manager of the same host has neither.
    ///
    /// # Safety
    /// Whoever can have it execute commands can have native code loaded, as with [`Host::load`]: code that calls
    /// [`ask`](Self::ask) or [`ask_by_name`](Self::ask_by_name), and whoever may open a socket of
    /// [`open_control`](Self::open_control). The caller trusts the libraries that they name as this program.
    pub unsafe fn new(host: &Host) -> Self {
        Self::over(host)
    }

    /// As [`new`](Self::new), for a caller that has no [`Load`](hookrail_model::command::Load) and no
    /// [`Replace`](hookrail_model::command::Replace) executed.
    pub(crate) fn over(host: &Host) -> Self {
        let commands = Commands::default();
        let meters = Meters::default();
        standard::register(&commands, meters.clone());
        let core = Arc::downgrade(host.core());
        let feeds = Feeds::default();
        let manager = Manager { shared: Arc::new(Shared { core, attached: OnceLock::new(), commands, feeds, meters }) };
        manager.tell(|call, Events { .. }| Ok(Box::new(EventFeed { events: call.core().events(), dropped: 0 })));
        manager
    }

    /// Gives the host its store: loads the enabled plugins, and lets operators change the store by commands. Returns
    /// the enabled plugins that could not be loaded; the others are loaded all the same.
    ///
    /// The host's configuration of a plugin takes precedence over the store's. A host has one store, for its whole
    /// life.
    ///
    /// ```
    /// use hookrail::control::{Manager, NotLoaded};
    /// use hookrail::package::Home;
    /// use hookrail::store::Store;
    /// use hookrail::{Config, Host};
    ///
    /// # let directory = std::env::temp_dir().join(format!("hookrail-doc-store-{}", std::process::id()));
    /// # let config = Config::default().with_home(&directory);
    /// let host = Host::new(config)?;
    /// // SAFETY: its commands come from us alone.
    /// let manager = unsafe { Manager::new(&host) };
    /// let store = Store::open(Home::open(&host.config().home_dir())?)?;
    /// // SAFETY: we trust whom the operator trusts.
    /// for NotLoaded { plugin, error, .. } in unsafe { manager.open_store(store)? } {
    ///     eprintln!("{plugin} is enabled and was not loaded: {error}");
    /// }
    /// assert!(host.plugin_views().is_empty(), "nothing was ever installed there");
    /// # drop(host);
    /// # std::fs::remove_dir_all(directory).unwrap();
    /// # Ok::<(), hookrail::control::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the host already has a store, or the store cannot be read.
    ///
    /// # Safety
    /// The caller trusts as this program all that is installed and all that [`Store::with_prebuilt`] names, now and
    /// later: its code runs in this process, as with [`Host::load`]. So whoever can sign for a key that is trusted in
    /// that home, or can write there, is trusted too.
    pub unsafe fn open_store(&self, store: Store) -> Result<Vec<NotLoaded>, Error> {
        self.open(AttachedStore { store, is_live: true, is_kept: true })
    }

    /// As [`open_store`](Self::open_store), for a host that only tries something: what its plugins write of their
    /// configurations is held until it ends, and the store stays as it is.
    ///
    /// # Errors
    /// As for that.
    ///
    /// # Safety
    /// As for that.
    #[doc(hidden)]
    pub unsafe fn try_store(&self, store: Store) -> Result<Vec<NotLoaded>, Error> {
        self.open(AttachedStore { store, is_live: true, is_kept: false })
    }

    fn open(&self, attached: AttachedStore) -> Result<Vec<NotLoaded>, Error> {
        self.attach(attached)?;
        let (core, attached) = (self.core()?, self.shared.attached.get().ok_or(ApiMisuse::NoStore)?);
        Verbs { core: &core, attached }.load_enabled()
    }

    /// Gives the host its store.
    pub(crate) fn attach(&self, attached: AttachedStore) -> Result<(), Error> {
        let core = self.core()?;
        let shared = self.shared.clone();
        let is_first = core.follow_fallbacks(move |core, fallback| {
            if let Some(attached) = shared.attached.get() {
                Verbs { core, attached }.fell_back(fallback);
            }
        });
        let keep = || core.keep_configurations(StoreKeeper(self.shared.clone()));
        let is_first = is_first && (!attached.is_kept || keep());
        if !is_first || self.shared.attached.set(attached).is_err() {
            return Err(ApiMisuse::StoreThere.into());
        }
        Ok(())
    }

    /// Executes a command on this thread.
    ///
    /// # Errors
    /// If the command is refused or fails, or the host is gone.
    pub fn ask<C: Command>(&self, command: C) -> Result<C::Answer, Error> {
        self.shared.commands.execute(&Call::new(&self.core()?, self.shared.attached.get(), &Nobody), command)
    }

    /// As [`ask`](Self::ask), for a command given by its name, with its fields and its answer as JSON.
    ///
    /// # Errors
    /// As for [`ask`](Self::ask), and if there is no such command.
    pub fn ask_by_name(&self, command: &str, fields: Map<String, Value>) -> Result<Value, Error> {
        let handler = self.find(command)?;
        self.call(&Nobody, |call| handler.execute(call, fields))
    }

    /// Registers a command of the program's own, however it arrives. The first handler of a name stays; returns whether
    /// it is this one.
    pub fn register<C: Command>(
        &self,
        execute: impl Fn(&Call<'_>, C) -> Result<C::Answer, Error> + Send + Sync + 'static,
    ) -> bool {
        self.shared.commands.register(execute)
    }

    /// As [`register`](Self::register), for a command that has a name and no type.
    pub fn register_handler(&self, name: &str, handler: Arc<dyn Handler>) -> bool {
        self.shared.commands.register_handler(name, handler)
    }

    /// As [`register`](Self::register), for a command whose caller is told more after the answer, over a socket: what
    /// `begin` returns. It is called before the answer, so that who has the answer misses nothing later.
    pub fn tell<C: Command<Answer = ()>>(
        &self,
        begin: impl Fn(&Call<'_>, C) -> Result<Box<dyn Feed>, Error> + Send + Sync + 'static,
    ) -> bool {
        self.shared.commands.register(|_, _: C| Ok(())) && self.shared.feeds.register(begin)
    }

    /// Begins what the caller of a command is told, if the command is one that tells.
    pub(crate) fn begin_to_tell(
        &self,
        caller: &dyn Caller,
        command: &str,
        fields: &Map<String, Value>,
    ) -> Option<Result<Box<dyn Feed>, Error>> {
        let begin = self.shared.feeds.find(command)?;
        Some(self.call(caller, |call| begin(call, fields.clone())))
    }

    /// Adds families of the program's own, under names that no others have, to the answer of
    /// [`Metrics`](hookrail_model::command::Metrics). `meter` is called for each such command, so it should not block.
    pub fn measure(&self, meter: impl Fn() -> Vec<Family> + Send + Sync + 'static) {
        self.shared.meters.add(meter);
    }

    pub(crate) fn core(&self) -> Result<Arc<Core>, ApiMisuse> {
        self.shared.core.upgrade().ok_or(ApiMisuse::Closing)
    }

    /// The handler of the command with that name.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<dyn Handler>, Error> {
        Ok(self.shared.commands.find(name)?)
    }

    /// Calls `run` with a command call for the caller.
    pub(crate) fn call<R>(
        &self,
        caller: &dyn Caller,
        run: impl FnOnce(&Call<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        run(&Call::new(&self.core()?, self.shared.attached.get(), caller))
    }
}

impl Managed for Shared {
    fn with_verbs<R>(&self, run: impl FnOnce(Verbs<'_>) -> R) -> Option<R> {
        let (core, attached) = (self.core.upgrade()?, self.attached.get()?);
        Some(run(Verbs { core: &core, attached }))
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager").field("store", &self.shared.attached.get()).finish_non_exhaustive()
    }
}

/// The caller within the program itself, which never goes away.
struct Nobody;

impl Caller for Nobody {
    fn is_gone(&self) -> bool {
        false
    }

    fn report(&self) -> Value {
        Value::Null
    }
}

impl Manage for Manager {
    type Error = Error;

    fn ask<C: Command>(&mut self, command: C) -> Result<C::Answer, Error> {
        Manager::ask(self, command)
    }
}
