//! Replacing a plugin with a new build, which is loaded beside the old one until one transaction swaps them.

use std::sync::Arc;
use std::time::Instant;

use hookrail_abi::boundary::SavedState;
use hookrail_dispatch::{Addition, Owner, Probation};
use hookrail_image::SealedCopy;
use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::event::EventKind;
use hookrail_model::log;
use hookrail_model::times::UpgradeTimes;
use hookrail_model::view::Status;

use super::core::Core;
use super::handle::PluginHandle;
use super::table::{Current, ProbationEntry, Reservation, RollbackPoint, Serving};
use crate::config::RuntimeOverrides;
use crate::keeping::Keeping;
use crate::plugin::{Loaded, StartContext, States};
use crate::ticket::Ticket;
use crate::unload::{Before, Unpublished};

/// The outcome of an upgrade: a new generation serves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upgraded {
    /// The number of the new generation.
    pub generation: u64,
    /// Its version.
    pub version: String,
    /// The number of the generation it replaced.
    pub from: u64,
    /// The unload of the old generation.
    pub old: Ticket,
    /// How long the phases took.
    pub times: UpgradeTimes,
}

/// What a new generation starts with.
pub(super) struct Inheritance {
    /// The states that its instances are started with.
    pub(super) states: States,
    /// The instances of the old generation whose own state is in `states`: what changes in them until their last call
    /// is handed over as well.
    pub(super) saved: Vec<String>,
    /// The states that the old build is started with if the new one is rolled back.
    pub(super) rollback_point: States,
}

impl Core {
    /// Replaces a plugin by the build in the copy, with other overrides than before, if they are given.
    ///
    /// # Errors
    /// As for `Host::upgrade`.
    ///
    /// # Safety
    /// The caller trusts the library in the copy as this program: its code runs in this process.
    pub unsafe fn upgrade(
        self: &Arc<Self>,
        plugin: &PluginHandle,
        copy: SealedCopy,
        fresh: bool,
        runtime_overrides: Option<RuntimeOverrides>,
    ) -> Result<Upgraded, Error> {
        let limit = self.config.upgrade.max_state;
        let reservation = self.table.reserve(plugin, &[Status::Running], "upgraded")?;
        let inherit = |old: &Loaded| {
            if fresh {
                let rollback_point = old.save(limit).unwrap_or_default();
                return Ok(Inheritance { states: States::new(), saved: Vec::new(), rollback_point });
            }
            let states = old.save(limit)?;
            Ok(Inheritance { saved: states.keys().cloned().collect(), rollback_point: states.clone(), states })
        };
        let probation = Probation::new(&self.config.upgrade).map(Arc::new);
        let event = EventKind::upgraded;
        // SAFETY: the caller trusts the library in the copy as this program.
        unsafe { self.replace(&reservation, copy, runtime_overrides, inherit, probation, event) }
    }

    /// Replaces the serving generation with one from the copy, with other overrides if they are given, and reports the
    /// event built from its number, the new version and the times. On failure changes nothing.
    ///
    /// # Safety
    /// The caller trusts the library in the copy as this program: its code runs in this process.
    pub(super) unsafe fn replace(
        self: &Arc<Self>,
        reservation: &Reservation,
        copy: SealedCopy,
        runtime_overrides: Option<RuntimeOverrides>,
        inherit: impl Fn(&Loaded) -> Result<Inheritance, Error>,
        probation: Option<Arc<Probation>>,
        event: impl Fn(u64, String, UpgradeTimes) -> EventKind,
    ) -> Result<Upgraded, Error> {
        let name = reservation.name();
        let serving = reservation.serving().ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?;
        let reaper = self.reaper()?;
        let (began, took) = (Instant::now(), copy.took());
        let moved = runtime_overrides.as_ref().and_then(|others| others.isolation.clone());
        let moved = moved.or_else(|| reservation.runtime_overrides().isolation);
        // SAFETY: the caller trusts the library in the copy as this program.
        let mut loaded = unsafe { Loaded::open(copy, &self.config, self.number, moved)? };
        let copy = loaded.copied();
        let open = took + began.elapsed() - copy;
        let began = Instant::now();
        let owner = self.next_owner();
        let prepared =
            self.prepare(&mut loaded, reservation, &serving, (owner, probation.as_ref()), runtime_overrides, inherit);
        let create = began.elapsed();
        let began = Instant::now();
        let swapped = prepared.and_then(|Prepared { additions, saved, runtime_overrides, rollback_point, keeping }| {
            if let Some((probation, rollback_point)) = probation.zip(rollback_point) {
                reservation.begin_probation(ProbationEntry::begin(owner, probation, rollback_point));
            }
            Ok((self.registry.replace(serving.owner, additions)?, saved, runtime_overrides, keeping))
        });
        let swap = began.elapsed();
        let (callbacks, saved, runtime_overrides, keeping) = match swapped {
            Ok(swapped) => swapped,
            Err(error) => {
                // The probation of the serving generation continues.
                drop(reservation.end_probations(Some(serving.owner)));
                loaded.abandon();
                return Err(error);
            }
        };
        let Serving { generation: from, load, owner: old, lifecycle, version: old_version, endpoints: old_endpoints } =
            serving;
        let (version, endpoints) = (loaded.note().version.clone(), loaded.endpoints());
        // Before the old generation ends: its last changes are for the generation set here.
        let (generation, past_probation) =
            reservation.set(Current::new(load, owner, loaded, runtime_overrides, reservation.log()));
        log!(debug, plugin = name, from, generation, "replaced");
        let times = UpgradeTimes::new(copy, open, create, swap);
        // Before the event of the old generation's end, which another thread reports.
        self.events.tell(name, generation, event(from, version.clone(), times));
        keeping.serve();
        let rest = (!saved.is_empty()).then(|| self.rest(name, load, saved));
        let before: Before = Box::new(move |old| {
            rest.into_iter().for_each(|rest| rest(old));
            drop(past_probation);
        });
        // The old ones are told first, so that two of one source never run at once.
        old_endpoints.iter().for_each(|endpoints| self.attending.leaving(endpoints));
        endpoints.iter().for_each(|endpoints| self.attending.serving(endpoints));
        let unpublished =
            Unpublished { plugin: name.into(), lifecycle, owner: old, callbacks, endpoints: old_endpoints };
        if let Some(end) = self.table.next_probation() {
            self.registry.signals.look_at(end);
        }
        let ticket = self.follow(&reaper, unpublished, self.ending(name, from, Some(before)));
        self.table.remember(from, load, old_version, ticket.clone());
        Ok(Upgraded { generation, version, from, old: ticket, times })
    }

    /// Everything before the transaction that can fail: creates and starts the new instances.
    fn prepare(
        self: &Arc<Self>,
        loaded: &mut Loaded,
        reservation: &Reservation,
        serving: &Serving,
        beginner: (Owner, Option<&Arc<Probation>>),
        runtime_overrides: Option<RuntimeOverrides>,
        inherit: impl Fn(&Loaded) -> Result<Inheritance, Error>,
    ) -> Result<Prepared, Error> {
        let plugin = reservation.name();
        if loaded.note().name != plugin {
            let found = loaded.note().name.clone();
            return Err(ApiMisuse::another_plugin(plugin, found).into());
        }
        let (owner, probation) = beginner;
        let keeping = self.keeping(plugin, owner, reservation.next_generation());
        let lifecycle = serving.lifecycle.lock();
        let old = lifecycle.as_ref().ok_or_else(|| ApiMisuse::NotLoaded(plugin.into()))?;
        let level = reservation.log().unwrap_or_else(|| self.config.log(plugin));
        loaded.diagnostics().begin(reservation.next_generation(), level);
        let Inheritance { states, saved, rollback_point } = inherit(old)?;
        let kept = probation.map(|_| old.keep_copy()).transpose()?;
        let schema = old.known_schema();
        // Under the lock: a reload releases it only after its configuration is recorded.
        let (before, of_file) = (reservation.runtime_overrides(), reservation.of_file());
        drop(lifecycle);
        let (runtime_overrides, before) = match runtime_overrides {
            // Where it was moved to, it stays.
            Some(others) => {
                (RuntimeOverrides { isolation: others.isolation.or(before.isolation.clone()), ..others }, Some(before))
            }
            None => (before, None),
        };
        let rollback_point =
            kept.map(|(file, copy)| RollbackPoint { file, copy, states: rollback_point, runtime_overrides: before });
        let context = StartContext {
            config: &self.config,
            registry: &self.registry,
            owner,
            probation: probation.cloned(),
            runtime_overrides: &runtime_overrides,
            of_file: &of_file,
            states: &states,
            schema,
            keeping: keeping.clone(),
            attending: &self.attending,
        };
        let additions = loaded.start(&context)?;
        Ok(Prepared { additions, saved, runtime_overrides, rollback_point, keeping })
    }

    /// Hands what changed in the old generation's instances since they saved to the generation that serves by then. If
    /// that fails the changes are lost: no caller is left to act on it.
    fn rest(&self, plugin: &str, load: Owner, saved: Vec<String>) -> Before {
        let (table, limit, plugin) = (self.table.clone(), self.config.upgrade.max_state, plugin.to_owned());
        Box::new(move |old| {
            for instance in saved {
                let apply_changes = |rest: SavedState| match table.successor(&plugin, load) {
                    Some(successor) => match &*successor.lock() {
                        Some(successor) => successor.apply_changes(&instance, &rest),
                        None => Err(ApiMisuse::NotLoaded(plugin.clone()).into()),
                    },
                    None => Err(ApiMisuse::NotLoaded(plugin.clone()).into()),
                };
                let merged = old.save_changes(&instance, limit).and_then(|rest| rest.map_or(Ok(()), apply_changes));
                if let Err(error) = merged {
                    log!(error, instance, "what has changed since it saved its state is lost: {error}");
                }
            }
        })
    }
}

/// A new generation that is ready to be published.
struct Prepared {
    additions: Vec<Addition>,
    /// As in [`Inheritance`].
    saved: Vec<String>,
    runtime_overrides: RuntimeOverrides,
    /// For a generation that will be on probation.
    rollback_point: Option<RollbackPoint>,
    keeping: Arc<Keeping>,
}
