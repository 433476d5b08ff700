//! Configurations that plugins write themselves.
//!
//! 1. An instance writes by `config/2`, here or in its worker; the [`Keeping`] of its generation decides.
//! 2. Only the generation that serves writes. What an instance writes while it starts is kept once it serves, and not at
//!    all if the start fails: the very command that starts it may hold what would have to be changed.
//! 3. The host's [`Keeper`] keeps it, as it keeps what the operator sets. Without one, or if it does not know the plugin,
//!    it is held here until the plugin is unloaded, as what `Host::reload` sets.
//! 4. A write waits for the disk, and for no call of the plugin and no operator: it is refused then, and may be tried
//!    again. So a plugin may write from anywhere, also while it is given another configuration.

mod bucket;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use hookrail_dispatch::Owner;
use hookrail_model::event::EventKind;
use hookrail_model::log;
use hookrail_model::schema::Schema;
use parking_lot::Mutex;
use serde_json::Value;

use self::bucket::Bucket;
use crate::event::Announcer;
use crate::secrets::Resolved;
use crate::writable::{NotWritten, Taken, Writable};

/// How long to wait before the next attempt to keep what was written during a start.
const AGAIN: Duration = Duration::from_millis(50);

/// Keeps the configurations of plugins, as the operator's commands change them.
pub trait Keeper: Send + Sync {
    /// The configuration that is kept for a plugin, and its revision; `None` if it keeps none for it.
    ///
    /// # Errors
    /// If it cannot be read.
    fn stored(&self, plugin: &str) -> Result<Option<(Value, u64)>, NotWritten>;

    /// Keeps what a plugin has written, if the revision is still that one, and returns the new one; `None` if it keeps
    /// none for it. Does not wait for whoever changes something else.
    ///
    /// # Errors
    /// If it is refused, or fails.
    fn write(&self, plugin: &str, config: &Value, if_revision: Option<u64>) -> Result<Option<u64>, NotWritten>;
}

/// What a host knows of its plugins, as far as their configurations need it.
pub(crate) trait Records: Send + Sync {
    /// Who keeps configurations, if anybody does.
    fn keeper(&self) -> Option<&dyn Keeper>;

    /// Whether that generation of a plugin is the one that serves.
    fn serves(&self, plugin: &str, owner: Owner) -> bool;

    /// How often the configuration of an instance was changed while it ran.
    fn revision(&self, instance: &str) -> u64;

    /// The next generations start with that configuration.
    fn changed(&self, instance: &str, config: &Value);
}

/// Keeps what the instances of one generation write.
pub(crate) struct Keeping {
    plugin: String,
    owner: Owner,
    generation: u64,
    /// Weak, since they hold the plugin, whose instances hold this.
    records: Weak<dyn Records>,
    events: Arc<Announcer>,
    /// Locked while something is written. Whoever holds it calls nobody, and waits for nothing but the disk.
    state: Mutex<State>,
    /// What each instance has. Never locked while anything else is done.
    given: Mutex<BTreeMap<String, Given>>,
}

struct State {
    phase: Phase,
    /// Whether an instance is being given another configuration.
    is_changing: bool,
    bucket: Bucket,
    /// What was written while the instances started, by instance.
    pending: BTreeMap<String, Pending>,
}

enum Phase {
    Ended,
    Serving,
    Starting,
}

struct Pending {
    config: Value,
    if_revision: Option<u64>,
    /// The revision that it is to have.
    revision: u64,
}

struct Given {
    config: Resolved,
    schema: Option<Arc<Schema>>,
    /// Where a file says what it is, if one does.
    declared: Option<String>,
}

/// An instance is being given another configuration until this is dropped, and nobody writes one meanwhile. There is one
/// at a time.
pub(crate) struct Changing<'a>(&'a Keeping);

impl Keeping {
    pub(crate) fn new(
        plugin: &str,
        (owner, generation): (Owner, u64),
        records: Weak<dyn Records>,
        events: Arc<Announcer>,
    ) -> Arc<Self> {
        let state =
            State { phase: Phase::Starting, is_changing: false, bucket: Bucket::full(), pending: BTreeMap::new() };
        Arc::new(Keeping {
            plugin: plugin.into(),
            owner,
            generation,
            records,
            events,
            state: Mutex::new(state),
            given: Mutex::default(),
        })
    }

    /// An instance is about to be created with that configuration.
    pub(crate) fn give(
        &self,
        instance: &str,
        config: &Resolved,
        schema: Option<Arc<Schema>>,
        declared: Option<String>,
    ) {
        self.given.lock().insert(instance.into(), Given { config: config.clone(), schema, declared });
    }

    /// What an instance has.
    pub(crate) fn given(&self, instance: &str) -> Option<Resolved> {
        self.given.lock().get(instance).map(|given| given.config.clone())
    }

    /// An instance is about to be given another configuration; waits for a write that is being kept.
    pub(crate) fn changing(&self) -> Changing<'_> {
        self.state.lock().is_changing = true;
        Changing(self)
    }

    /// The generation serves: what was written during the start is kept now, or by another thread as soon as whoever
    /// changes something has done so.
    pub(crate) fn serve(self: &Arc<Self>) {
        let has_keeper = self.records.upgrade().is_some_and(|records| records.keeper().is_some());
        let is_pending = {
            let mut state = self.state.lock();
            state.phase = Phase::Serving;
            !state.pending.is_empty()
        };
        if !is_pending {
            return;
        }
        if !has_keeper {
            self.keep_pending();
            return;
        }
        let keeping = self.clone();
        let keep = move || {
            while !keeping.keep_pending() {
                thread::sleep(AGAIN);
            }
        };
        if let Err(error) = thread::Builder::new().name("hookrail-config".into()).spawn(keep) {
            log!(error, plugin = self.plugin, "what it wrote while it started is not kept: {error}");
            self.state.lock().pending.clear();
        }
    }

    /// Keeps what was written during the start; returns whether that is done.
    fn keep_pending(&self) -> bool {
        loop {
            let mut state = self.state.lock();
            if state.is_changing {
                return false;
            }
            let Some((instance, pending)) = state.pending.first_key_value() else { return true };
            let (instance, kept) = (instance.clone(), self.keep(instance, &pending.config, pending.if_revision));
            if let Err(NotWritten::Busy(_)) = kept {
                return false;
            }
            state.pending.pop_first();
            drop(state);
            match kept {
                Ok(revision) => self.tell(&instance, revision),
                Err(NotWritten::Busy(why) | NotWritten::Changed(why) | NotWritten::Refused(why)) => {
                    log!(error, instance, "what it wrote while it started is not kept: {why}");
                }
            }
        }
    }

    /// Tells of a configuration that is kept.
    fn tell(&self, instance: &str, revision: u64) {
        log!(info, instance, revision, "it has written its own configuration");
        self.events.tell(&self.plugin, self.generation, EventKind::config_written(instance, revision));
    }

    /// The instances are being stopped, or have not started: they write no more.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Ended;
        state.pending.clear();
    }

    /// Keeps a configuration, in the host's keeper or here.
    fn keep(&self, instance: &str, config: &Value, if_revision: Option<u64>) -> Result<u64, NotWritten> {
        let records =
            self.records.upgrade().filter(|records| records.serves(&self.plugin, self.owner)).ok_or_else(ended)?;
        let kept = match records.keeper() {
            Some(keeper) => keeper.write(&self.plugin, config, if_revision)?,
            None => None,
        };
        let held = match kept {
            Some(_) => 0,
            None => self.hold(&*records, instance, if_revision)?,
        };
        records.changed(instance, config);
        if let Some(given) = self.given.lock().get_mut(instance) {
            given.config = config.clone().into();
        }
        Ok(kept.unwrap_or(held))
    }

    /// Whether a configuration may be held here; returns the revision that it gets.
    fn hold(&self, records: &dyn Records, instance: &str, if_revision: Option<u64>) -> Result<u64, NotWritten> {
        let declared = self.given.lock().get(instance).and_then(|given| given.declared.clone());
        if let Some(place) = declared {
            let why = format!("HR0832: {instance}: it is configured in {place}, which its plugin does not change");
            return Err(NotWritten::Refused(why));
        }
        let revision = records.revision(instance);
        is_still(revision, if_revision)?;
        Ok(revision + 1)
    }

    /// The configuration, if it is one that the operator could set.
    fn checked(&self, instance: &str, json: &str) -> Result<Value, NotWritten> {
        if let Some(too_large) = NotWritten::too_large(json.len()) {
            return Err(too_large);
        }
        let config = serde_json::from_str(json)
            .map_err(|error| NotWritten::Refused(format!("the configuration is not JSON: {error}")))?;
        crate::thread::is_alive().map_err(|error| NotWritten::from(hookrail_model::error::Error::from(error)))?;
        let (schema, has_secrets) = {
            let given = self.given.lock();
            let given = given.get(instance).ok_or_else(ended)?;
            (given.schema.clone(), given.config.has_secrets())
        };
        // What it writes would be kept and shown with them.
        if has_secrets {
            let why = format!(
                "HR0832: {instance}: its configuration has secrets from files, and its plugin does not change it"
            );
            return Err(NotWritten::Refused(why));
        }
        schema.map_or(Ok(()), |schema| schema.check(instance, &config))?;
        Ok(config)
    }

    /// For what an instance writes while it starts: the revision that it is to have, and the one that must be current
    /// when it is kept.
    fn later(&self, state: &State, instance: &str, if_revision: Option<u64>) -> Result<(u64, Option<u64>), NotWritten> {
        match state.pending.get(instance) {
            Some(Pending { revision, if_revision: before, .. }) => {
                is_still(*revision, if_revision)?;
                Ok((*revision, if_revision.and(*before)))
            }
            None => {
                let revision = self.kept(instance)?.1;
                is_still(revision, if_revision)?;
                Ok((revision + 1, if_revision))
            }
        }
    }

    /// What is kept for an instance that has started.
    fn kept(&self, instance: &str) -> Result<(Value, u64), NotWritten> {
        let records = self.records.upgrade().ok_or_else(ended)?;
        if let Some(keeper) = records.keeper()
            && let Some(kept) = keeper.stored(&self.plugin)?
        {
            return Ok(kept);
        }
        let config = self.given(instance).ok_or_else(ended)?.value().clone();
        Ok((config, records.revision(instance)))
    }
}

impl Writable for Keeping {
    fn stored(&self, instance: &str) -> Result<(String, u64), NotWritten> {
        if let Some(Pending { config, revision, .. }) = self.state.lock().pending.get(instance) {
            return Ok((config.to_string(), *revision));
        }
        let (config, revision) = self.kept(instance)?;
        let config = if config.is_null() { "{}".into() } else { config.to_string() };
        Ok((config, revision))
    }

    fn write(&self, instance: &str, json: &str, if_revision: Option<u64>, taken: Taken) -> Result<u64, NotWritten> {
        let config = self.checked(instance, json)?;
        let mut state = self.state.lock();
        if state.is_changing {
            return Err(changing());
        }
        if !state.bucket.take() {
            return Err(NotWritten::Busy(format!("{instance} writes its configuration too often: {}", bucket::RULE)));
        }
        match state.phase {
            Phase::Ended => Err(ended()),
            Phase::Serving if !state.pending.is_empty() => Err(changing()),
            Phase::Serving => {
                let revision = self.keep(instance, &config, if_revision)?;
                taken(revision);
                drop(state);
                self.tell(instance, revision);
                Ok(revision)
            }
            Phase::Starting => {
                let (revision, if_revision) = self.later(&state, instance, if_revision)?;
                state.pending.insert(instance.into(), Pending { config, if_revision, revision });
                taken(revision);
                Ok(revision)
            }
        }
    }
}

impl Changing<'_> {
    /// An instance has that configuration now, and not what it wrote while it started. Returns what it had.
    pub(crate) fn gave(&self, instance: &str, config: &Resolved) -> Option<Resolved> {
        self.0.state.lock().pending.remove(instance);
        let mut given = self.0.given.lock();
        Some(std::mem::replace(&mut given.get_mut(instance)?.config, config.clone()))
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.state.lock().is_changing = false;
    }
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping")
            .field("plugin", &self.plugin)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

fn is_still(revision: u64, expected: Option<u64>) -> Result<(), NotWritten> {
    match expected {
        Some(expected) if expected != revision => Err(NotWritten::Changed(format!(
            "HR0837: its configuration has revision {revision} by now, not {expected}"
        ))),
        _ => Ok(()),
    }
}

fn changing() -> NotWritten {
    NotWritten::Busy("its configuration is being changed".into())
}

fn ended() -> NotWritten {
    NotWritten::Refused("it is being stopped, replaced or unloaded, and writes its configuration no more".into())
}
