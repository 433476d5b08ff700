//! One loaded plugin: its library, its instances, and the calls into it.

mod schema;
mod state;

use std::collections::{BTreeMap, HashSet};
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::ptr::{from_mut, from_ref, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{self, ReloadTable, SavedState, Str};
use hookrail_abi::host::Report;
use hookrail_dispatch::{Addition, Owner, Probation, Registry, frame};
use hookrail_image::SealedCopy;
use hookrail_loader::{Closed, Library, Meter, PluginDiagnostics};
use hookrail_model::end::End;
use hookrail_model::error::{ApiMisuse, ConfigError, Error, Misbehaved};
use hookrail_model::log;
use hookrail_model::note::Note;
use hookrail_model::schema::Schema;
use parking_lot::Mutex;
use serde_json::{Value, json};

pub use schema::schema;

use crate::admission::Startup;
use crate::config::{Config, RuntimeOverrides};
use crate::service::{self, Handle, Registrations};
use crate::thread;

/// What instances handed over, by name. It lives on the process's heap, so it outlives the library that created it.
pub(crate) type States = BTreeMap<String, SavedState>;

/// A loaded plugin, until it has ended. Callers of its lifecycle functions hold the lock, so that those run on one
/// thread at a time.
pub(crate) type Lifecycle = Arc<Mutex<Option<Loaded>>>;

/// A loaded plugin.
///
/// Dropping it without [`Loaded::end`] leaves the library mapped forever, which is safe.
#[derive(Debug)]
pub(crate) struct Loaded {
    library: ManuallyDrop<Library>,
    instances: Vec<Instance>,
    /// The handles of all instances that ever existed, by name: threads and thread-locals of the plugin may use them
    /// for as long as its code is mapped.
    handles: ManuallyDrop<BTreeMap<String, Arc<Handle>>>,
    /// The schema that the configurations of its instances were validated against.
    schema: Option<Arc<Schema>>,
}

/// What the instances of a plugin start with.
pub(crate) struct StartContext<'a> {
    pub(crate) config: &'a Config,
    pub(crate) registry: &'a Registry,
    pub(crate) owner: Owner,
    /// The probation of the generation, if it replaces another.
    pub(crate) probation: Option<Arc<Probation>>,
    /// The plugin's settings besides the host's configuration.
    pub(crate) runtime_overrides: &'a RuntimeOverrides,
    /// What the previous generation handed over.
    pub(crate) states: &'a States,
    /// The schema that the configurations of the previous generation were validated against.
    pub(crate) schema: Option<Arc<Schema>>,
}

/// One configured use of a plugin.
///
/// # Invariants
/// `state` came from the library's `create`, and has not been destroyed; it knows `handle`.
#[derive(Debug)]
struct Instance {
    name: Arc<str>,
    state: *mut boundary::Instance,
    handle: Arc<Handle>,
    started: bool,
}

// SAFETY: the state is only passed to the plugin's functions, one thread at a time, and the
// boundary lets them run on any.
unsafe impl Send for Instance {}

impl Loaded {
    /// Opens a library and attaches the host to it.
    ///
    /// # Safety
    /// The caller trusts the library as this program: its constructors run, and later its other code.
    pub(crate) unsafe fn open(copy: SealedCopy, config: &Config) -> Result<Self, Error> {
        thread::can_load()?;
        // SAFETY: the caller trusts the library as this program.
        let library = unsafe { Library::open(copy, |name| config.forces_unload(name))? };
        if library.forced {
            let plugin = &*library.inspection.note.name;
            log!(
                warn,
                plugin,
                "its wish never to be removed was taken out of the copy, since its force_unload says so"
            );
        }
        let mut loaded = Loaded {
            library: ManuallyDrop::new(library),
            instances: Vec::new(),
            handles: ManuallyDrop::default(),
            schema: None,
        };
        let attach = loaded.library.entry().attach;
        // SAFETY: the table lives as long as the process.
        let result = loaded.call("attach", &loaded.note().name, || unsafe { attach(&service::TABLE) });
        // Even if it did not attach: it may already have left code with a thread.
        let bound = loaded.library.bind();
        let max = config.plugins.get(&loaded.note().name).and_then(|plugin| plugin.max_memory);
        loaded.library.meter(max);
        match result.and(bound) {
            Ok(()) => Ok(loaded),
            Err(error) => {
                loaded.abandon();
                Err(error)
            }
        }
    }

    pub(crate) fn note(&self) -> &Note {
        &self.library.inspection.note
    }

    /// The schema that the configurations of its instances were validated against, for the next generation.
    pub(crate) fn known_schema(&self) -> Option<Arc<Schema>> {
        self.schema.clone()
    }

    /// The file it was read from.
    pub(crate) fn file(&self) -> &Path {
        &self.library.file
    }

    /// The names of its instances.
    pub(crate) fn instances(&self) -> Vec<String> {
        self.instances.iter().map(|instance| instance.name.to_string()).collect()
    }

    /// Its diagnostics.
    pub(crate) fn diagnostics(&self) -> &Arc<PluginDiagnostics> {
        &self.library.diagnostics
    }

    /// The meter of its memory, if it counts that.
    pub(crate) fn meter(&self) -> Option<Arc<Meter>> {
        self.library.meter.clone()
    }

    /// How long copying and reading the file took.
    pub(crate) fn copied(&self) -> Duration {
        self.library.copied
    }

    /// The file it was read from, and its private copy, which outlives the library.
    pub(crate) fn keep_copy(&self) -> Result<(PathBuf, OwnedFd), Error> {
        let failed = |source| Error::system("keep the copy of the library in memory", source);
        Ok((self.library.file.clone(), self.library.copy().try_clone_to_owned().map_err(failed)?))
    }

    /// Creates and starts all configured instances, and returns what they register.
    pub(crate) fn start(&mut self, context: &StartContext<'_>) -> Result<Vec<Addition>, Error> {
        let name = self.note().name.clone();
        let config = context.config;
        let mut instances = config.instances(&name);
        if self.note().instances == "one" && instances.len() > 1 {
            return Err(config.located(ConfigError::TooManyInstances(name)).into());
        }
        let known = context.schema.as_ref().or(self.schema.as_ref());
        self.schema = self.ready_schema(instances.first().map_or(&name, |(instance, _)| instance), known)?;
        // All are created before the first one starts, since the effects of a start cannot be undone.
        for (instance, value) in &mut instances {
            let runtime = context.runtime_overrides.configs.get(instance);
            if let Some(runtime) = runtime {
                value.clone_from(runtime);
            }
            *value = configured(value);
            let fits = self.schema.as_ref().map_or(Ok(()), |schema| schema.check(instance, value));
            fits.map_err(|error| if runtime.is_some() { error } else { config.located_error(error) })?;
        }
        let mut additions = Vec::new();
        for (instance, value) in instances {
            let handle = self.handle(instance, value.to_string(), config);
            let index = self.create(handle)?;
            additions.extend(self.start_instance(index, context)?);
        }
        Ok(additions)
    }

    /// The handle of an instance that is about to start: the one it had before it was stopped, if any.
    fn handle(&mut self, instance: String, config: String, of: &Config) -> Arc<Handle> {
        if let Some(handle) = self.handles.get(&instance) {
            *handle.config.lock() = config;
            return handle.clone();
        }
        let home = of.home_dir().join("instances").join(instance.replace(':', "@"));
        let handle = Arc::new(Handle {
            instance: instance.as_str().into(),
            config: Mutex::new(config),
            home,
            diagnostics: self.diagnostics().clone(),
            registrations: Registrations::default(),
        });
        self.handles.insert(instance, handle.clone());
        handle
    }

    fn create(&mut self, handle: Arc<Handle>) -> Result<usize, Error> {
        let create = self.library.entry().create;
        let config = handle.config.lock().clone();
        let mut state = null_mut();
        handle.registrations.open();
        self.call("create", &handle.instance, || {
            // SAFETY: text for the call, room for a pointer; the handle is kept as long as the
            // library.
            unsafe { create(from_ref(&*handle).cast(), Str::new(&handle.instance), Str::new(&config), &mut state) }
        })?;
        // INVARIANT: `create` succeeded.
        self.instances.push(Instance { name: handle.instance.clone(), state, handle, started: false });
        Ok(self.instances.len() - 1)
    }

    fn start_instance(&mut self, index: usize, context: &StartContext<'_>) -> Result<Vec<Addition>, Error> {
        let instance = &self.instances[index];
        let mut registrar = Startup {
            registry: context.registry,
            config: context.config,
            runtime_overrides: context.runtime_overrides,
            note: self.note(),
            instance: instance.name.clone(),
            owner: context.owner,
            generation: self.diagnostics().generation(),
            probation: context.probation.clone(),
            admitted: Vec::new(),
            seen: HashSet::new(),
            refused: None,
        };
        let start = self.library.entry().start;
        let registrar_ptr = from_mut(&mut registrar).cast();
        let started = match context.states.get(&*instance.name) {
            // SAFETY: by its invariant the instance's state is valid, and `register` expects this
            // registrar, which nothing else uses meanwhile.
            None => self.call("start", &instance.name, || unsafe { start(instance.state, registrar_ptr) }),
            // SAFETY: by its invariant the instance's state is valid; `register` expects this registrar, which nothing
            // else uses meanwhile.
            Some(state) => unsafe { self.restore(instance, registrar_ptr, state) },
        };
        let Startup { admitted, refused, .. } = registrar;
        if let Some(refused) = refused {
            return Err(refused);
        }
        started?;
        self.instances[index].started = true;
        let name = &self.instances[index].name;
        let declared = self.note().hooks.len();
        if admitted.is_empty() && declared > 0 {
            log!(
                warn,
                plugin = self.note().name,
                "{name} registers no callback and its note declares {declared}: it is never called; in C, its start must call `hookrail_register_hooks`"
            );
        }
        admitted.iter().for_each(|addition| self.diagnostics().add(addition.callback.pair().parts().1, name));
        Ok(admitted)
    }

    /// Hands a new configuration to a started instance, whose callbacks keep running.
    pub(crate) fn reload(&self, instance: &str, config: &Value) -> Result<(), Error> {
        thread::is_alive()?;
        let config = configured(config);
        let schema = self.ready_schema(instance, self.schema.as_ref())?;
        schema.map_or(Ok(()), |schema| schema.check(instance, &config))?;
        let unknown = || ApiMisuse::NotLoaded(instance.into());
        let instance = self.instances.iter().find(|known| &*known.name == instance).ok_or_else(unknown)?;
        let table = self.library.table::<ReloadTable>();
        let json = config.to_string();
        self.call("reload", &instance.name, || match table {
            // SAFETY: by its invariant the instance's state is valid; text for the call.
            Some(table) => unsafe { (table.reload)(instance.state, Str::new(&json)) },
            None => {
                frame::report(Report::Error as u32, "it reads its configuration only when it is loaded");
                1
            }
        })?;
        *instance.handle.config.lock() = json;
        Ok(())
    }

    /// As `end`, after a failed load: if that does not end soon, the library is kept.
    pub(crate) fn abandon(self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        self.leave();
        let name = self.note().name.clone();
        let closed = self.end(Instant::now() + PATIENCE, |_| false);
        closed.tell_losses(&name);
        if !closed.end.is_unmapped() {
            log!(warn, plugin = name, "not waiting for the failed load to unwind: {}", closed.end);
        }
    }

    /// From now on each thread runs the destructors that it has left of the library. No callback may be running or be
    /// called any more.
    pub(crate) fn leave(&self) {
        self.library.leave();
    }

    /// Stops and destroys the instances, and closes the library; see [`Library::close`] for `deadline` and
    /// `keep_waiting`. No callback may be running or be called any more.
    pub(crate) fn end(mut self, deadline: Instant, keep_waiting: impl FnMut(End) -> bool) -> Closed {
        self.stop();
        // SAFETY: `self` is consumed, so the library is not used again.
        let closed = unsafe { ManuallyDrop::take(&mut self.library) }.close(deadline, keep_waiting);
        if closed.end.is_gone() {
            // SAFETY: `self` is consumed, so they are dropped once; nobody is left to use them. Otherwise they stay, as
            // the library does.
            unsafe { ManuallyDrop::drop(&mut self.handles) };
        }
        closed
    }

    /// Stops and destroys the instances. No callback may be running or be called any more.
    pub(crate) fn stop(&mut self) {
        let (stop, destroy) = (self.library.entry().stop, self.library.entry().destroy);
        // Of every instance that was created, also of one whose `create` failed.
        self.handles.values().for_each(|handle| handle.registrations.close());
        for instance in std::mem::take(&mut self.instances).into_iter().rev() {
            if instance.started {
                // SAFETY: by its invariant the instance's state is valid.
                self.call_anyway("stop", &instance.name, || unsafe { stop(instance.state) });
            }
            // SAFETY: by its invariant the instance's state is valid, and it is not used again.
            self.call_anyway("destroy", &instance.name, || unsafe { destroy(instance.state) });
        }
        self.diagnostics().forget_instances();
    }

    /// Calls a function of the plugin; what the plugin reports becomes the error.
    fn call(&self, call: &'static str, instance: &str, function: impl FnOnce() -> u32) -> Result<(), Error> {
        let of = self.handles.get(instance).map(|handle| &handle.instance);
        match frame::call(self.diagnostics().identity(), of, function) {
            (0, _) => Ok(()),
            (_, said) => {
                let (said, panic) = said.map(|said| (said.text, said.panic)).unzip();
                if let Some(panic) = panic.flatten() {
                    let (generation, backtrace) = (panic.generation, panic.backtrace());
                    log!(error, instance, generation, backtrace, "{call} {panic}");
                }
                let why = Misbehaved::failed(call, said.unwrap_or_else(|| "it said nothing".into()));
                Err(Error::misbehaved(instance, why))
            }
        }
    }

    /// As `call`, where a failure can only be logged.
    fn call_anyway(&self, call: &'static str, instance: &str, function: impl FnOnce() -> u32) {
        if let Err(error) = self.call(call, instance, function) {
            log!(error, "{error}");
        }
    }
}

/// What an instance is given: an empty configuration if none is set.
fn configured(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}
