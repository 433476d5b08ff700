//! Whether a registration may enter a chain: checked against the point, the note and the operator's configuration.

pub(crate) mod layout;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use hookrail_abi::boundary::{Registration, TooSmall, registration};
use hookrail_abi::{Effects, FaultPolicy, Priority, catalogue};
use hookrail_dispatch::{
    Addition, Breaker, Callback, CallbackId, CallbackState, Ctx, Owner, PointState, Probation, Registry, Terms, names,
};
use hookrail_loader::complete;
use hookrail_model::config::CallbackOverride;
use hookrail_model::error::{ConfigError, Error, Incompatible, Misbehaved};
use hookrail_model::note::{Note, NoteHook};
use parking_lot::Mutex;

use crate::body::Admission;
use crate::config::{Config, RuntimeOverrides};

/// What a plugin's `start` registers with: collects the callbacks that are admitted.
pub(crate) struct Startup<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) config: &'a Config,
    pub(crate) runtime_overrides: &'a RuntimeOverrides,
    pub(crate) note: &'a Note,
    pub(crate) instance: Arc<str>,
    pub(crate) owner: Owner,
    pub(crate) generation: Option<u64>,
    pub(crate) probation: Option<Arc<Probation>>,
    pub(crate) admitted: Vec<Addition>,
    /// The callbacks admitted so far, by point and callback.
    pub(crate) seen: HashSet<(&'static str, CallbackId)>,
    /// The first registration that was refused, and why.
    pub(crate) refused: Option<Error>,
}

impl Admission for Startup<'_> {
    fn point(&self, name: &str) -> Option<Arc<PointState>> {
        self.registry.point(name)
    }

    fn refuse(&mut self, error: Error) {
        self.refused.get_or_insert(error);
    }

    fn admit(&mut self, record: Result<&Registration, TooSmall>) -> bool {
        let addition = match record {
            Ok(record) => self.addition(record),
            Err(too_small) => {
                let why = Misbehaved::malformed("a point", "a callback", format!("a record of {too_small}"));
                Err(Error::misbehaved(&*self.instance, why))
            }
        };
        match addition {
            Ok(addition) => {
                self.admitted.push(addition);
                true
            }
            Err(error) => {
                self.refuse(error);
                false
            }
        }
    }
}

impl Startup<'_> {
    fn addition(&mut self, record: &Registration) -> Result<Addition, Error> {
        // SAFETY: the plugin passes text that is readable for the call.
        let (point, name) = unsafe { (record.point.to_text().into_owned(), record.callback.to_text().into_owned()) };
        let misbehaved = |why| Error::misbehaved(self.instance.to_string(), why);
        let incompatible = |why| Error::incompatible(self.note.name.clone(), why);
        let malformed = |what: &str| misbehaved(Misbehaved::malformed(point.clone(), name.clone(), what));

        let state = self.registry.point(&point).ok_or_else(|| {
            incompatible(Incompatible::unknown_point(point.clone(), suggestion(self.registry, &point)))
        })?;
        if record.revision != state.revision {
            let (plugin, host) = (record.revision, state.revision);
            return Err(incompatible(Incompatible::point_revision(point, plugin, host)));
        }
        if record.fingerprint != state.fingerprint {
            // SAFETY: the plugin passes null or abi_stable's layout of its payload; the library is
            // loaded for as long as we look.
            let difference = unsafe { layout::difference(state.layout, record.layout) };
            return Err(incompatible(Incompatible::payload(point, difference)));
        }
        if record.flags & registration::HAS_PRIORITY == 0 {
            return Err(misbehaved(Misbehaved::no_priority(point, name)));
        }
        let Some(declared) = Priority::checked(record.priority) else {
            let priority = record.priority;
            return Err(misbehaved(Misbehaved::reserved_priority(point, name, priority)));
        };
        let run = record.run.ok_or_else(|| malformed("no code"))?;
        match record.form {
            registration::FORM_SYNCHRONOUS => {}
            registration::FORM_ASYNCHRONOUS => {
                return Err(misbehaved(Misbehaved::asynchronous(point, name)));
            }
            _ => return Err(malformed("a calling form that this host does not know")),
        }
        if !record.ops.is_null() {
            // SAFETY: the plugin passes the operations of its payload, which stay while its library is loaded.
            unsafe { complete(record.ops) }
                .map_err(|incomplete| malformed(&format!("payload operations {incomplete}")))?;
        }
        let hook = self.note.hooks.iter().find(|hook| hook.point == point && hook.name == name);
        let hook = hook.ok_or_else(|| misbehaved(Misbehaved::undeclared(point.clone(), name.clone())))?;
        self.agree(hook, record).map_err(incompatible)?;
        let id = names::intern(&self.instance, &name);
        if !self.seen.insert((state.chain.facts.point, id)) {
            return Err(misbehaved(Misbehaved::duplicate_callback(point, name)));
        }

        let wish = self.config.override_of(&self.runtime_overrides.overrides, &point, &self.instance, &name);
        let reserved = wish.and_then(|(wish, _)| wish.priority).filter(|number| Priority::checked(*number).is_none());
        if let Some(number) = reserved {
            let callback = format!("{}/{name}", self.instance);
            return Err(self.config.located(ConfigError::reserved_priority(point, callback, number)).into());
        }
        let fault = match record.fault {
            registration::ON_FAULT_OPEN => FaultPolicy::Open,
            registration::ON_FAULT_CLOSED => FaultPolicy::Closed,
            registration::ON_FAULT_ROLLBACK => FaultPolicy::Rollback,
            _ => state.fault,
        };
        let budget = (record.budget_ns > 0).then_some(record.budget_ns);
        let declared = Terms { priority: declared.number(), fault, enabled: true, budget };
        let callback = Callback {
            id,
            owner: self.owner,
            generation: self.generation,
            instance: self.instance.clone(),
            name: name.into(),
            terms: wish.map_or(declared, |(wish, _)| terms(declared, wish)),
            declared,
            overridden_by: wish.map(|(_, origin)| origin),
            effects: Effects::from_raw(record.effects),
            run,
            ctx: Arc::new(Ctx::new(record.ctx, record.ctx_drop)),
            required: self.config.is_required(&self.instance),
            record: Arc::default(),
            state: Mutex::new(CallbackState::Armed),
            breaker: Arc::new(Breaker::new(self.registry.signals.clone())),
            probation: self.probation.clone(),
        };
        Ok(Addition { point: state, callback })
    }

    /// Checks the record against what the file declares.
    fn agree(&self, hook: &NoteHook, record: &Registration) -> Result<(), Incompatible> {
        let effects = Effects::from_raw(record.effects).name();
        let fields = [
            ("priority", hook.priority.to_string(), record.priority.to_string()),
            ("revision", hook.revision.to_string(), record.revision.to_string()),
            ("effects", hook.effects.clone(), effects.to_string()),
        ];
        match fields.into_iter().find(|(_, note, code)| note != code) {
            None => Ok(()),
            Some((field, note, code)) => {
                let field = format!("the {field} of `{}` on {}", hook.name, hook.point);
                Err(Incompatible::note_disagrees(field, note, code))
            }
        }
    }
}

/// What a callback is granted that declares this, and of which the operator says that.
pub(crate) fn terms(declared: Terms, wish: &CallbackOverride) -> Terms {
    Terms {
        priority: wish.priority.unwrap_or(declared.priority),
        fault: wish.fault_policy.unwrap_or(declared.fault),
        enabled: wish.enabled,
        budget: wish.budget.map(nanoseconds).or(declared.budget),
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A declared point with a similar name, for a registration at one that does not exist.
pub(crate) fn suggestion(registry: &Registry, point: &str) -> Option<String> {
    if let Some((_, now)) = catalogue::RENAMED.iter().find(|(old, _)| *old == point) {
        return Some(format!("it is called {now} now"));
    }
    if catalogue::BUILT_IN.iter().any(|built_in| built_in.name == point) {
        return Some("it is in the catalogue, but nobody dispatches it yet".into());
    }
    let mut points = Vec::new();
    registry.each(|look| points.push(look.state.chain.facts.point));
    Some(format!("there are {}", points.join(", ")))
}
