//! What logging costs a plugin, and what it costs when it is disabled.

use std::ptr::from_mut;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hookrail::{Config, Decision, HookPoint, Host, LogLevel, Quarantine};
use hookrail_benches::{Work, WorkDone};
use hookrail_tests::listener::Listener;
use tracing::dispatcher::with_default;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Level};

use super::hosts::{Aligned, aligned};

/// The plugin, which logs nothing below `info`.
pub(crate) struct Telling {
    /// Keeps the callbacks registered.
    _host: Host,
    point: HookPoint<WorkDone>,
    callbacks: Aligned,
    counting: Dispatch,
}

impl Telling {
    pub(crate) fn new() -> Self {
        let quarantine = Quarantine::default().with_faults(0);
        let config = Config::default().with_log_level(LogLevel::Info).with_quarantine(quarantine);
        let host = Host::new(config).expect("a host");
        let point = host.point(WorkDone).expect("its own point");
        // SAFETY: our own library.
        unsafe { host.load(hookrail_tests::telling()) }.expect("the library loads");
        Telling { callbacks: aligned(&point.raw_pairs()), point, _host: host, counting: Dispatch::new(COUNTING) }
    }

    /// `steps` steps of a loop in the plugin.
    pub(crate) fn silent(&self, steps: u64) -> Duration {
        self.run(0, steps)
    }

    /// The same, with a disabled `trace!` in each step.
    pub(crate) fn disabled(&self, steps: u64) -> Duration {
        self.run(1, steps)
    }

    /// `events` events of the plugin, to a subscriber that reads their fields.
    pub(crate) fn events(&self, events: u64) -> Duration {
        self.counted(events, || self.run(2, events))
    }

    /// `events` events of this program itself, to the same subscriber.
    pub(crate) fn own_events(&self, events: u64) -> Duration {
        self.counted(events, || {
            let start = Instant::now();
            (0..events).for_each(|step| tracing::info!(step, "a step"));
            start.elapsed()
        })
    }

    /// `dispatches` dispatches of its callbacks without a step, each of which ends in a panic of the last one.
    pub(crate) fn panics(&self, dispatches: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..dispatches {
            assert_eq!(self.point.dispatch(&mut Work::default()).decision(), Decision::Passed);
        }
        start.elapsed()
    }

    fn counted(&self, events: u64, run: impl FnOnce() -> Duration) -> Duration {
        let before = HEARD.load(Ordering::Relaxed);
        let elapsed = with_default(&self.counting, run);
        assert_eq!(HEARD.load(Ordering::Relaxed) - before, events, "every event was heard");
        elapsed
    }

    fn run(&self, callback: usize, steps: u64) -> Duration {
        let (run, ctx) = self.callbacks[callback];
        let mut work = Work { count: steps, ..Work::default() };
        let start = Instant::now();
        // SAFETY: the host is kept, and the payload is that of its point.
        let answer = unsafe { run(ctx, from_mut(&mut work).cast()) };
        let elapsed = start.elapsed();
        assert_eq!(answer, 0);
        elapsed
    }
}

static HEARD: AtomicU64 = AtomicU64::new(0);

/// Counts the events whose step it could read.
const COUNTING: Listener =
    Listener { wants: |metadata| *metadata.level() <= Level::INFO, hears: |event| event.record(&mut Step) };

struct Step;

impl Visit for Step {
    fn record_u64(&mut self, field: &Field, _: u64) {
        if field.name() == "step" {
            HEARD.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
