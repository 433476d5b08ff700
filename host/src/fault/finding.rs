//! What dispatches find out about callbacks, for a thread that acts on it: no dispatch waits for that.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use parking_lot::Mutex;

use crate::chain::{Callback, CallbackId, Owner};
use crate::condvar::Condvar;
use crate::config::Quarantine;

/// A callback on its point, of one generation.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) point: &'static str,
    id: CallbackId,
    pub(crate) owner: Owner,
    /// `instance/callback`.
    pub(crate) name: String,
}

/// Something found out about a callback.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) at: Placed,
    pub(crate) what: Found,
}

/// What was found out.
#[derive(Debug)]
pub(crate) enum Found {
    /// It answered well when it was tried.
    Recovered,
    /// A call took longer than it may, in nanoseconds; how often that was so by now.
    Slow { took: u64, budget: u64, count: u64 },
    /// It is to be called no more; why.
    TooManyFaults(String),
}

impl Placed {
    pub(crate) fn of(point: &'static str, callback: &Callback) -> Self {
        Placed { point, id: callback.id, owner: callback.owner, name: callback.full_name() }
    }

    /// Whether that is the one, on the same point.
    pub(crate) fn is(&self, callback: &Callback) -> bool {
        (callback.id, callback.owner) == (self.id, self.owner)
    }
}

/// The findings of one host that nobody has acted on yet.
pub(crate) struct Findings {
    pub(crate) limits: Quarantine,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Starts the thread that acts.
    start: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Debug, Default)]
struct Waiting {
    findings: Vec<Finding>,
    over: bool,
}

impl Findings {
    pub(crate) fn new(limits: Quarantine) -> Self {
        Findings { limits, waiting: Mutex::default(), changed: Condvar::default(), start: OnceLock::new() }
    }

    /// How to start the thread that acts on findings; it is called with every one.
    pub(crate) fn start_with(&self, start: impl Fn() + Send + Sync + 'static) {
        let _ = self.start.set(Box::new(start));
    }

    pub(super) fn tell(&self, finding: Finding) {
        self.waiting.lock().findings.push(finding);
        self.changed.notify_all();
        self.start();
    }

    /// Starts the thread that acts on findings, if it does not run.
    pub(crate) fn start(&self) {
        if let Some(start) = self.start.get() {
            start();
        }
    }

    /// Waits for findings, no longer than until then; `None` when there will be none any more.
    pub(crate) fn wait(&self, until: Option<Instant>) -> Option<Vec<Finding>> {
        let mut waiting = self.waiting.lock();
        let is_idle = |waiting: &mut Waiting| waiting.findings.is_empty() && !waiting.over;
        self.changed.wait_while(&mut waiting, is_idle, until);
        (!waiting.over).then(|| std::mem::take(&mut waiting.findings))
    }

    /// Whoever waits is to end.
    pub(crate) fn end(&self) {
        self.waiting.lock().over = true;
        self.changed.notify_all();
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Findings").field("limits", &self.limits).finish_non_exhaustive()
    }
}
