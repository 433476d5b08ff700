//! The thread that acts on what dispatches find out about callbacks, looks for calls that take too long, checks on
//! probations, and has plugins asked for their health. It starts with the first plugin, or with the first signal.

use std::collections::HashMap;
use std::fs::read_to_string;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hookrail_dispatch::reclaim::{self, EVERYTHING, Stay};
use hookrail_dispatch::{Callback, CallbackRef, CallbackState, Found, HalfOpen, Owner, Record, Signal, Signals};
use hookrail_model::event::EventKind;
use hookrail_model::log;

use super::checkup;
use super::core::Core;
use super::table::Over;
use crate::config::Config;

/// How long to wait before a thread that could not be started is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// What the thread keeps from one pass to the next.
#[derive(Default)]
struct Watchdog {
    quarantined: Vec<Quarantined>,
    /// The stays of each thread, by slot number, outermost first.
    stays: HashMap<usize, Vec<Seen>>,
    /// When plugins are asked for their health next.
    checkup: Option<Instant>,
}

/// A quarantined callback that will be tried again.
struct Quarantined {
    at: CallbackRef,
    until: Instant,
}

/// A thread's stay in an entry, and since when it has been observed.
struct Seen {
    stay: Stay,
    since: Instant,
    is_told: bool,
    /// The callback's record, once the stay has been reported as too long.
    record: Option<Arc<Record>>,
}

/// Starts the thread if it is not running. If the system starts none now, the next signal tries again.
pub(super) fn start(core: &Weak<Core>) {
    let Some(strong) = core.upgrade() else { return };
    let started = strong.watchdog.get_or_try_init(|| {
        let (signals, core) = (strong.registry.signals.clone(), core.clone());
        let spawned = std::thread::Builder::new().name("hookrail-watchdog".into()).spawn(move || run(&signals, &core));
        spawned.map(drop)
    });
    if let Err(error) = started {
        log!(
            error,
            "cannot start a thread: {error}: until it can, no callback is quarantined and nothing is rolled back"
        );
    }
}

fn run(signals: &Signals, core: &Weak<Core>) {
    // It frees contexts of callbacks.
    reclaim::register_thread();
    let mut watchdog = Watchdog::default();
    let mut found = Vec::new();
    loop {
        let Some(core) = core.upgrade() else { return };
        for signal in found {
            watchdog.act(&core, signal);
        }
        watchdog.go_back(&core);
        watchdog.weigh(&core);
        watchdog.try_again(&core);
        watchdog.look(&core);
        let checkup = checkup::pass(&core, &mut watchdog.checkup);
        core.table.pass_probations();
        let until = [watchdog.next(&core), next_weighing(&core.config), core.table.next_probation(), checkup];
        let until = until.into_iter().flatten().min();
        // A host that is being dropped does not wait for this thread.
        drop(core);
        match signals.wait(until) {
            None => return,
            Some(more) => found = more,
        }
    }
}

impl Watchdog {
    fn act(&mut self, core: &Core, signal: Signal) {
        let Signal { at, what } = signal;
        let CallbackRef { point, generation, ref name, .. } = at;
        match what {
            Found::NotPassed(reason) => core.table.not_passed(at.owner, reason),
            Found::TooManyFaults(reason) => self.quarantine(core, at, reason),
            Found::Recovered => {
                let is_tried = |callback: &Callback| {
                    callback.is(&at) && matches!(*callback.state.lock(), CallbackState::HalfOpen(_))
                };
                if core.registry.stand(point, is_tried, |callback| Some(callback.arm())).is_some() {
                    log!(info, point, generation, "{name} works again, and is called again");
                    let released = |callback| EventKind::released(point, callback, true);
                    core.tell(name, generation, released);
                }
            }
            Found::Slow { took, budget, count } => {
                let what = format_args!("{name} took longer than it may, {count} time(s)");
                log!(warn, point, generation, took_ns = took, budget_ns = budget, "{what}");
                core.tell(name, generation, |callback| EventKind::slow(point, callback, took, budget, count));
            }
        }
    }

    fn quarantine(&mut self, core: &Core, at: CallbackRef, reason: String) {
        let CallbackRef { point, generation, ref name, .. } = at;
        let state = CallbackState::Quarantined(reason.as_str().into());
        if core.registry.stand(point, |callback| callback.is(&at), |_| Some(state)).is_some() {
            log!(error, point, generation, "{name} is quarantined: {reason}");
            let quarantined = |callback| EventKind::quarantined(point, callback, reason);
            core.tell(name, generation, quarantined);
            let pause = core.config.quarantine.pause;
            // It may have been released meanwhile; an earlier quarantine must not cause a trial now.
            self.quarantined.retain(|waits| waits.at != at);
            if !pause.is_zero() {
                self.quarantined.push(Quarantined { at, until: Instant::now() + pause });
            }
        }
    }

    /// Quarantines the callbacks of plugins that have exceeded their memory limit.
    fn weigh(&mut self, core: &Core) {
        for over in core.table.weigh() {
            let Over { ref plugin, generation, bytes, max, .. } = over;
            log!(error, plugin, generation, bytes, max, "exceeds its memory limit");
            core.events.tell(plugin, generation, EventKind::over_memory(bytes, max));
            for at in callbacks(core, over.owner) {
                let reason = format!("the plugin holds {bytes} bytes of memory, {max} are allowed");
                self.quarantine(core, at, reason);
            }
        }
    }

    /// Lets one dispatch call each callback whose pause has ended, except while its plugin exceeds its memory limit.
    fn try_again(&mut self, core: &Core) {
        let now = Instant::now();
        let due: Vec<_> = self
            .quarantined
            .extract_if(.., |waits| waits.until <= now && !core.table.is_over(waits.at.owner))
            .collect();
        for Quarantined { at, .. } in due {
            core.registry.stand(
                at.point,
                |callback| callback.is(&at),
                |callback| match &*callback.state.lock() {
                    CallbackState::Quarantined(reason) => {
                        callback.breaker.try_once();
                        Some(CallbackState::HalfOpen(Arc::new(HalfOpen::new(reason.clone()))))
                    }
                    CallbackState::Absent | CallbackState::Armed | CallbackState::HalfOpen(_) => None,
                },
            );
        }
    }

    /// Rolls back the generations that failed their probation, each on its own thread: a rollback waits for the plugin,
    /// and the watchdog must never wait. A thread that cannot be started now is tried again.
    fn go_back(&mut self, core: &Arc<Core>) {
        for (owner, reason) in core.table.take_not_passed() {
            let (acting, why) = (core.clone(), reason.clone());
            let roll_back = move || acting.roll_back(owner, &why);
            if reclaim::spawn("hookrail-rollback", roll_back).is_err() {
                core.table.not_passed(owner, reason);
            }
        }
    }

    /// Reports what has taken too long: operations such as loading, and calls, found through the threads' frames.
    fn look(&mut self, core: &Core) {
        let limit = core.config.limits.stuck;
        if limit.is_zero() {
            return;
        }
        for (plugin, doing, took) in core.table.take_long(limit) {
            log!(warn, plugin, "it is still being {doing} after {took:.1?}");
        }
        let now = Instant::now();
        for slot in reclaim::all() {
            let before = self.stays.remove(&slot.number).unwrap_or_default();
            let seen = |stay| Seen { stay, since: now, is_told: false, record: None };
            let mut stays: Vec<_> = slot.stays().into_iter().map(seen).collect();
            for (index, before) in before.into_iter().enumerate() {
                match stays.get_mut(index).filter(|seen| seen.stay == before.stay) {
                    Some(seen) => *seen = before,
                    None => before.record.into_iter().for_each(|record| record.came_back()),
                }
            }
            for seen in &mut stays {
                let took = now.duration_since(seen.since);
                if took < limit || seen.is_told || seen.stay.entry == EVERYTHING {
                    continue;
                }
                seen.is_told = true;
                // If it is not found, it belongs to another host.
                if let Some((point, callback)) = core.registry.entry(seen.stay.entry) {
                    seen.record = Some(callback.record.clone());
                    callback.record.stuck();
                    stuck(core, point, &callback, slot.thread(), took);
                }
            }
            if !stays.is_empty() {
                self.stays.insert(slot.number, stays);
            }
        }
    }

    /// When the watchdog must look again without a signal.
    fn next(&self, core: &Core) -> Option<Instant> {
        let stuck = core.config.limits.stuck;
        // Often enough to report a call soon after it exceeds the limit.
        let look = (!stuck.is_zero()).then(|| Instant::now() + (stuck / 4).max(Duration::from_millis(1)));
        let pauses = self.quarantined.iter().filter(|waits| !core.table.is_over(waits.at.owner));
        let again = core.table.has_not_passed().then(|| Instant::now() + AGAIN);
        pauses.map(|waits| waits.until).chain(look).chain(again).min()
    }
}

fn stuck(core: &Core, point: &'static str, callback: &Callback, thread_id: u32, took: Duration) {
    let name = callback.full_name();
    let generation = callback.generation;
    let thread = thread_name(thread_id);
    log!(warn, point, generation, thread, thread_id, "{name} has been in one call for {took:.1?}");
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    core.tell(&name, generation, |callback| EventKind::stuck(point, callback, thread, thread_id, took_ms));
}

/// The name of a thread; empty if the thread has ended.
fn thread_name(thread_id: u32) -> String {
    let name = read_to_string(format!("/proc/thread-self/../{thread_id}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// The callbacks of a plugin that are in chains.
fn callbacks(core: &Core, owner: Owner) -> Vec<CallbackRef> {
    let mut found = Vec::new();
    core.registry.each(|look| {
        let is_its = |callback: &&Arc<Callback>| callback.owner == owner && callback.terms.enabled;
        found
            .extend(look.callbacks.iter().filter(is_its).map(|callback| callback.placed(look.state.chain.facts.point)));
    });
    found
}

/// When to check plugins' memory again, if any has a limit.
fn next_weighing(config: &Config) -> Option<Instant> {
    const PAUSE: Duration = Duration::from_millis(100);
    config.limits_memory().then(|| Instant::now() + PAUSE)
}

impl Core {
    /// Reports what happened to a callback, `instance/callback`, as an event of its plugin's generation; generation 0
    /// stands for a callback of the embedding program.
    pub(super) fn tell(&self, name: &str, generation: Option<u64>, what: impl FnOnce(String) -> EventKind) {
        let plugin = name.split(['/', ':']).next().unwrap_or(name);
        self.events.tell(plugin, generation.unwrap_or(0), what(name.into()));
    }
}
