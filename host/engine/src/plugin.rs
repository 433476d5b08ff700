//! One loaded plugin: its body, and what the host decides about its instances.

mod ready;
mod schema;

use std::collections::{BTreeMap, HashSet};
use std::env::consts::ARCH;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::SavedState;
use hookrail_dispatch::{Addition, Owner, Probation, Registry};
use hookrail_image::{SealedCopy, inspect_copy};
use hookrail_loader::{Closed, Meter, Numbers, PluginDiagnostics};
use hookrail_model::end::End;
use hookrail_model::error::{ConfigError, Error};
use hookrail_model::isolation::{Isolation, Placed};
use hookrail_model::log;
use hookrail_model::note::Note;
use hookrail_model::schema::Schema;
use parking_lot::Mutex;
use serde_json::{Value, json};

pub use schema::{declared_endpoints, schema};

use crate::admission::Startup;
use crate::body::{Body, Configured, Request, Response, Saved, WorkerStatus};
use crate::config::{Config, RuntimeOverrides, key_of_instance};
use crate::endpoints::{Attending, Endpoints};
use crate::fired::OfHost;
use crate::in_process::{self, InProcess};
use crate::isolation::{self, Placement};
use crate::keeping::Keeping;
use crate::points::Points;
use crate::secrets::{self, Resolved};
use crate::thread;
use crate::writable::Writable;

/// What instances handed over, by name. It lives on the process's heap, so it outlives the library that created it.
pub(crate) type States = BTreeMap<String, SavedState>;

/// The least time that an instance has to finish what it holds.
const LEAST: Duration = Duration::from_millis(100);

/// A loaded plugin, until it has ended. Callers of its lifecycle functions hold the lock, so that those run on one
/// thread at a time.
pub(crate) type Lifecycle = Arc<Mutex<Option<Loaded>>>;

/// A loaded plugin.
///
/// Dropping it without [`Loaded::end`] leaves its body as it is, which is safe.
#[derive(Debug)]
pub(crate) struct Loaded {
    body: Box<dyn Body>,
    /// In which process that is.
    placed: Placed,
    /// How long copying and reading the file took.
    copied: Duration,
    /// The names of its instances.
    instances: Vec<Arc<str>>,
    /// The schema that the configurations of its instances were validated against.
    schema: Option<Arc<Schema>>,
    /// What keeps the configurations that they write themselves, since they were started last.
    keeping: Option<Arc<Keeping>>,
    /// Their sources and sinks, since they were started last.
    endpoints: Option<Attended>,
}

/// Endpoints that an attendant was shown, until it is told that they leave.
#[derive(Debug)]
struct Attended(Arc<Endpoints>, Attending);

/// What the instances of a plugin start with.
pub(crate) struct StartContext<'a> {
    pub(crate) config: &'a Config,
    pub(crate) registry: &'a Arc<Registry>,
    pub(crate) owner: Owner,
    /// The probation of the generation, if it replaces another.
    pub(crate) probation: Option<Arc<Probation>>,
    /// The plugin's settings besides the host's configuration.
    pub(crate) runtime_overrides: &'a RuntimeOverrides,
    /// What a configuration file says of the instances by now, of those of which it was read again.
    pub(crate) of_file: &'a BTreeMap<String, Value>,
    /// What the previous generation handed over.
    pub(crate) states: &'a States,
    /// The schema that the configurations of the previous generation were validated against.
    pub(crate) schema: Option<Arc<Schema>>,
    /// What keeps the configurations that the instances write themselves.
    pub(crate) keeping: Arc<Keeping>,
    /// What runs their endpoints.
    pub(crate) attending: &'a Attending,
}

impl Loaded {
    /// Opens a library in the process that it was moved to, else in the one that the configuration names for it, else as
    /// its note wishes.
    ///
    /// # Safety
    /// The caller trusts the library as this program, unless it runs in a worker: its constructors run, and later its
    /// other code.
    pub(crate) unsafe fn open(
        copy: SealedCopy,
        config: &Config,
        host: u64,
        moved: Option<Placed>,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let inspection = inspect_copy(&copy, ARCH)?;
        let copied = copy.took() + began.elapsed();
        let name = inspection.note.name.clone();
        let opening = config.opening(&name);
        let wish = || Placed::by_wish(inspection.note.isolation.as_deref());
        let placed = moved.or_else(|| config.placed(&name)).unwrap_or_else(wish);
        let body: Box<dyn Body> = match &placed.process {
            Isolation::Worker(shared) => {
                let (home, limits) = (config.home_dir(), config.worker(&name));
                let placement = Placement { host, home, shared: shared.clone(), opening, limits };
                isolation::provider(&name)?.open(copy, inspection, placement)?
            }
            // SAFETY: the caller trusts the library as this program.
            _ => Box::new(unsafe { InProcess::open(copy, inspection, opening)? }),
        };
        Ok(Loaded { body, placed, copied, instances: Vec::new(), schema: None, keeping: None, endpoints: None })
    }

    pub(crate) fn note(&self) -> &Note {
        self.body.note()
    }

    /// The schema that the configurations of its instances were validated against, for the next generation.
    pub(crate) fn known_schema(&self) -> Option<Arc<Schema>> {
        self.schema.clone()
    }

    /// The file it was read from.
    pub(crate) fn file(&self) -> &Path {
        self.body.file()
    }

    /// The names of its instances.
    pub(crate) fn instances(&self) -> Vec<String> {
        self.instances.iter().map(ToString::to_string).collect()
    }

    /// Its diagnostics.
    pub(crate) fn diagnostics(&self) -> &Arc<PluginDiagnostics> {
        self.body.diagnostics()
    }

    /// The meter of its memory, if it counts that.
    pub(crate) fn meter(&self) -> Option<Arc<Meter>> {
        self.body.meter()
    }

    /// The numbers that it counts itself, if there are some.
    pub(crate) fn numbers(&self) -> Option<Arc<Numbers>> {
        self.body.numbers()
    }

    /// In which process it runs, and who decided that.
    pub(crate) fn placed(&self) -> &Placed {
        &self.placed
    }

    /// The worker that it runs in, if it is not this process.
    pub(crate) fn worker(&self) -> Option<Arc<dyn WorkerStatus>> {
        self.body.worker()
    }

    /// How long copying and reading the file took.
    pub(crate) fn copied(&self) -> Duration {
        self.copied
    }

    /// The file it was read from, and its private copy, which outlives the library.
    pub(crate) fn keep_copy(&self) -> Result<(PathBuf, OwnedFd), Error> {
        Ok((self.file().to_owned(), self.body.keep_copy()?))
    }

    /// Creates and starts all configured instances, and returns what they register.
    pub(crate) fn start(&mut self, context: &StartContext<'_>) -> Result<Vec<Addition>, Error> {
        let name = self.note().name.clone();
        let config = context.config;
        let instances = config.instances(&name);
        if self.note().instances == "one" && instances.len() > 1 {
            return Err(config.located(ConfigError::TooManyInstances(name)).into());
        }
        let known = context.schema.as_ref().or(self.schema.as_ref());
        self.schema = self.ready_schema(instances.first().map_or(&name, |(instance, _)| instance), known)?;
        // All are created before the first one starts, since the effects of a start cannot be undone.
        let mut ready = Vec::new();
        for (instance, value) in instances {
            let (set, of_file) = (context.runtime_overrides.configs.get(&instance), context.of_file.get(&instance));
            let value = configured(set.or(of_file).unwrap_or(&value));
            let resolved = match set {
                Some(_) => Ok(value.into()),
                None => secrets::resolve(&value, &key_of_instance(&instance)),
            };
            let is_as_read = set.or(of_file).is_none();
            let located = |error| if is_as_read { config.located_error(error) } else { error };
            let resolved = resolved.map_err(|error| located(error.into()))?;
            let fits = self.schema.as_ref().map_or(Ok(()), |schema| resolved.check(schema, &instance));
            fits.map_err(located)?;
            ready.push((instance, resolved));
        }
        self.keeping = Some(context.keeping.clone());
        let writable: Arc<dyn Writable> = context.keeping.clone();
        let units = isolation::units(&config.home_dir());
        let points: Arc<dyn Points> = Arc::new(OfHost::new(context.registry, &self.note().fires));
        let mut additions = Vec::new();
        for (instance, resolved) in ready {
            context.keeping.give(&instance, &resolved, self.schema.clone(), config.declares(&instance));
            let home = config.home_dir().join("instances").join(instance.replace(':', "@"));
            let (config, attending) = (&*resolved.value().to_string(), context.attending);
            let (writable, units, points) = (&writable, &units, &points);
            let configured = Configured { name: &instance, config, home: &home, writable, units, points, attending };
            self.body.diagnostics().hide(resolved.secrets());
            self.body.create(&configured).map_err(|error| resolved.hidden(error))?;
            let instance: Arc<str> = instance.into();
            self.instances.push(instance.clone());
            additions.extend(self.start_instance(instance, context).map_err(|error| resolved.hidden(error))?);
        }
        self.wait_until_ready(config.health.ready)?;
        self.show_endpoints(context.attending)?;
        Ok(additions)
    }

    fn show_endpoints(&mut self, attending: &Attending) -> Result<(), Error> {
        let of = |instance: &Arc<str>| Some((instance.clone(), self.body.endpoints(instance)?));
        let instances = self.instances.iter().filter_map(of).collect();
        let endpoints = Endpoints::new(self.note().endpoints.clone(), instances, self.diagnostics());
        self.endpoints = Some(Attended(endpoints.clone(), attending.clone()));
        attending.coming(&endpoints)
    }

    /// What its instances were given, if they are started.
    pub(crate) fn keeping(&self) -> Option<Arc<Keeping>> {
        self.keeping.clone()
    }

    /// The sources and sinks of its instances, if they are started.
    pub(crate) fn endpoints(&self) -> Option<Arc<Endpoints>> {
        self.endpoints.as_ref().map(|Attended(endpoints, _)| endpoints.clone())
    }

    fn start_instance(&mut self, instance: Arc<str>, context: &StartContext<'_>) -> Result<Vec<Addition>, Error> {
        let note = self.note().clone();
        let mut startup = Startup {
            registry: context.registry,
            config: context.config,
            runtime_overrides: context.runtime_overrides,
            note: &note,
            instance: instance.clone(),
            owner: context.owner,
            generation: self.diagnostics().generation(),
            probation: context.probation.clone(),
            admitted: Vec::new(),
            seen: HashSet::new(),
            refused: None,
        };
        let started = self.body.start(&instance, context.states.get(&*instance), &mut startup);
        let Startup { admitted, refused, .. } = startup;
        if let Some(refused) = refused {
            return Err(refused);
        }
        started?;
        let declared = note.hooks.len();
        // One that is used for its sources and sinks may leave all of them out.
        if admitted.is_empty() && declared > 0 && note.endpoints.is_empty() {
            log!(
                warn,
                plugin = note.name,
                "{instance} registers no callback and its note declares {declared}: it is never called; in C, its start must call `hookrail_register_hooks`"
            );
        }
        admitted.iter().for_each(|addition| self.diagnostics().add(addition.callback.pair().parts().1, &instance));
        Ok(admitted)
    }

    /// Hands a new configuration to a started instance, whose callbacks keep running, and calls `reloaded` before
    /// anybody else can change it. Returns what it had.
    pub(crate) fn reload(&self, instance: &str, config: &Resolved, reloaded: impl FnOnce()) -> Result<Resolved, Error> {
        thread::is_alive()?;
        let schema = self.ready_schema(instance, self.schema.as_ref())?;
        schema.map_or(Ok(()), |schema| config.check(&schema, instance))?;
        let changing = self.keeping.as_ref().map(|keeping| keeping.changing());
        self.body.diagnostics().hide(config.secrets());
        self.body.reload(instance, &config.value().to_string()).map_err(|error| config.hidden(error))?;
        reloaded();
        Ok(changing.and_then(|changing| changing.gave(instance, config)).unwrap_or_default())
    }

    /// Pauses what its instances do by themselves: all of them, or none.
    pub(crate) fn halt(&self) -> Result<(), Error> {
        for (index, instance) in self.instances.iter().enumerate() {
            if let Err(error) = self.body.request(instance, Request::Halt) {
                for halted in self.instances[..index].iter().rev() {
                    if let Err(error) = self.body.request(halted, Request::Resume) {
                        log!(error, instance = &**halted, "it was halted with another one that refused: {error}");
                    }
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Continues what [`halt`](Self::halt) has paused. On failure all are halted.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        for (index, instance) in self.instances.iter().enumerate().rev() {
            if let Err(error) = self.body.request(instance, Request::Resume) {
                for resumed in &self.instances[index + 1..] {
                    if let Err(error) = self.body.request(resumed, Request::Halt) {
                        log!(error, instance = &**resumed, "it was resumed before another one that could not: {error}");
                    }
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// How each instance is, or why that is not known; `None` for what was not asked.
    pub(crate) fn health(&self, within: Duration) -> Vec<(Arc<str>, Result<Response, Error>)> {
        let ask = |instance: &Arc<str>| (instance.clone(), self.body.request(instance, Request::Health(within)));
        self.instances.iter().map(ask).collect()
    }

    /// Has each instance finish what it holds until then. No callback may be running or be called any more.
    pub(crate) fn drain(&self, deadline: Instant) {
        for instance in self.instances.iter().rev() {
            // Also one that the others have left no time: whatever it can do at once.
            let left = deadline.saturating_duration_since(Instant::now()).max(LEAST);
            let began = Instant::now();
            let drained = self.body.request(instance, Request::Drain(left));
            let (took, instance) = (began.elapsed(), &**instance);
            match drained {
                Err(error) => log!(error, instance, "what it still held is not finished: {error}"),
                Ok(_) if took > left => log!(warn, instance, "its drain took {took:.1?}, and had {left:.1?}"),
                Ok(_) => {}
            }
        }
    }

    /// What each instance hands to the next generation. Their callbacks keep running.
    pub(crate) fn save(&self, limit: usize) -> Result<States, Error> {
        let mut states = States::new();
        for instance in &self.instances {
            if let Some(state) = self.body.save(instance, Saved::State, limit)? {
                states.insert(instance.to_string(), state);
            }
        }
        Ok(states)
    }

    /// What changed in an instance since it saved. None of its callbacks runs any more.
    pub(crate) fn save_changes(&self, instance: &str, limit: usize) -> Result<Option<SavedState>, Error> {
        self.body.save(instance, Saved::Changes, limit)
    }

    /// Hands the previous generation's last changes to a started instance, whose callbacks keep running.
    pub(crate) fn apply_changes(&self, instance: &str, changes: &SavedState) -> Result<(), Error> {
        self.body.apply_changes(instance, changes)
    }

    /// Ends it after a failed load: if that does not end soon, the library is kept.
    pub(crate) fn abandon(mut self) {
        self.keeping.iter().for_each(|keeping| keeping.end());
        self.endpoints = None;
        in_process::abandon(self.body);
    }

    /// From now on each thread runs the destructors that it has left of the library. No callback may be running or be
    /// called any more.
    pub(crate) fn leave(&self) {
        self.body.leave();
    }

    /// Stops and destroys the instances, and closes the library; see [`Body::close`] for `deadline` and `keep_waiting`.
    /// No callback may be running or be called any more.
    pub(crate) fn end(mut self, deadline: Instant, mut keep_waiting: impl FnMut(End) -> bool) -> Closed {
        self.stop();
        self.body.close(deadline, &mut keep_waiting)
    }

    /// Stops and destroys the instances. No callback may be running or be called any more.
    pub(crate) fn stop(&mut self) {
        self.keeping.iter().for_each(|keeping| keeping.end());
        self.endpoints = None;
        self.body.stop();
        self.instances.clear();
    }
}

impl Drop for Attended {
    /// Waits until none is in use: the instances are stopped next. Whoever runs them was told before, if any ran.
    fn drop(&mut self) {
        self.1.leaving(&self.0);
        while self.0.uses() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What an instance is given: an empty configuration if none is set.
pub(crate) fn configured(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}
