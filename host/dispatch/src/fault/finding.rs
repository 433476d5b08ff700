//! What dispatches find out about callbacks, for a thread that acts on it: no dispatch waits for that.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use hookrail_model::config::Quarantine;
use parking_lot::Mutex;

use crate::chain::id::{CallbackId, Owner};
use crate::condvar::Condvar;

/// A callback on its point, of one generation.
#[derive(Debug, PartialEq)]
pub struct CallbackRef {
    /// The point's name.
    pub point: &'static str,
    pub(crate) id: CallbackId,
    /// Who registered it.
    pub owner: Owner,
    /// Its plugin's, if it is a plugin's.
    pub generation: Option<u64>,
    /// `instance/callback`.
    pub name: String,
}

/// Something found out about a callback.
#[derive(Debug)]
pub struct Signal {
    /// The callback.
    pub at: CallbackRef,
    /// What was found.
    pub what: Found,
}

/// What was found out.
#[derive(Debug)]
pub enum Found {
    /// With it its generation does not pass the probation; why.
    NotPassed(String),
    /// It answered well when it was tried.
    Recovered,
    /// A call took longer than it may.
    Slow {
        /// Nanoseconds that it took.
        took: u64,
        /// Nanoseconds that it may take.
        budget: u64,
        /// How often that was so by now.
        count: u64,
    },
    /// It is to be called no more; why.
    TooManyFaults(String),
}

/// The findings of one host that nobody has acted on yet.
pub struct Signals {
    pub(crate) limits: Quarantine,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Starts the thread that acts.
    start: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Debug, Default)]
struct Waiting {
    findings: Vec<Signal>,
    /// When whoever waits is to look for itself.
    look: Option<Instant>,
    over: bool,
}

impl Signals {
    pub(crate) fn new(limits: Quarantine) -> Self {
        Signals { limits, waiting: Mutex::default(), changed: Condvar::default(), start: OnceLock::new() }
    }

    /// How to start the thread that acts on findings; it is called with every one.
    pub fn start_with(&self, start: impl Fn() + Send + Sync + 'static) {
        let _ = self.start.set(Box::new(start));
    }

    pub(super) fn tell(&self, finding: Signal) {
        self.waiting.lock().findings.push(finding);
        self.changed.notify_all();
        self.start();
    }

    /// Starts the thread that acts on findings, if it does not run.
    pub fn start(&self) {
        if let Some(start) = self.start.get() {
            start();
        }
    }

    /// Whoever waits is to look for itself then, or before: something begins that ends without a finding.
    pub fn look_at(&self, then: Instant) {
        let mut waiting = self.waiting.lock();
        // It is seldom woken: it sleeps no longer than until it looks for calls that are stuck.
        if waiting.look.is_none_or(|look| then < look) {
            waiting.look = Some(then);
            self.changed.notify_all();
        }
        drop(waiting);
        self.start();
    }

    /// Waits for findings, no longer than until then; `None` when there will be none any more.
    pub fn wait(&self, until: Option<Instant>) -> Option<Vec<Signal>> {
        let mut waiting = self.waiting.lock();
        // What was asked for since the caller looked holds as well.
        waiting.look = waiting.look.into_iter().chain(until).min();
        while waiting.findings.is_empty() && !waiting.over && waiting.look.is_none_or(|look| Instant::now() < look) {
            let look = waiting.look;
            self.changed.wait(&mut waiting, look);
        }
        waiting.look = None;
        (!waiting.over).then(|| std::mem::take(&mut waiting.findings))
    }

    /// Whoever waits is to end.
    pub fn end(&self) {
        self.waiting.lock().over = true;
        self.changed.notify_all();
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread::scope;
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_waits_looks_when_it_is_asked_to() {
        let findings = Signals::new(Quarantine::default());
        let (woken, wakes) = channel();
        scope(|scope| {
            scope.spawn(|| {
                while findings.wait(None).is_some() {
                    woken.send(()).unwrap();
                }
            });
            // Whether it waits already or comes to it later.
            let is_woken = (0..100).all(|_| {
                findings.look_at(Instant::now());
                wakes.recv_timeout(Duration::from_secs(60)).is_ok()
            });
            findings.end();
            assert!(is_woken);
        });
    }

    #[test]
    fn the_earlier_of_two_times_holds() {
        let findings = Signals::new(Quarantine::default());
        let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(60));
        findings.look_at(now);
        findings.look_at(later);
        assert_eq!(findings.wait(Some(later)).map(|found| found.len()), Some(0));
        findings.look_at(later);
        assert_eq!(findings.wait(Some(now)).map(|found| found.len()), Some(0));
        assert!(Instant::now() < later);
    }
}
