//! What dispatches find out about callbacks, for a thread that acts on it: no dispatch waits for that thread.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use hookrail_model::config::Quarantine;
use parking_lot::Mutex;

use crate::chain::id::{CallbackId, Owner};
use crate::condvar::Condvar;

/// A callback of one generation, at its point.
#[derive(Debug, PartialEq)]
pub struct CallbackRef {
    /// The point's name.
    pub point: &'static str,
    pub(crate) id: CallbackId,
    /// Who registered it.
    pub owner: Owner,
    /// The generation of its plugin, if it belongs to one.
    pub generation: Option<u64>,
    /// `instance/callback`.
    pub name: String,
}

/// A signal about a callback.
#[derive(Debug)]
pub struct Signal {
    /// The callback.
    pub at: CallbackRef,
    /// What was found.
    pub what: Found,
}

/// The kinds of signals.
#[derive(Debug)]
pub enum Found {
    /// With it, its generation failed the probation; why.
    NotPassed(String),
    /// Its trial call succeeded.
    Recovered,
    /// A call exceeded its budget.
    Slow {
        /// How long it took, in nanoseconds.
        took: u64,
        /// The budget, in nanoseconds.
        budget: u64,
        /// How many calls have exceeded it so far.
        count: u64,
    },
    /// It must no longer be called; why.
    TooManyFaults(String),
}

/// The signals of one host that have not been acted on yet.
pub struct Signals {
    pub(crate) limits: Quarantine,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Starts the thread that acts on signals.
    start: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Debug, Default)]
struct Waiting {
    signals: Vec<Signal>,
    /// When the waiting thread must look for itself.
    look: Option<Instant>,
    over: bool,
}

impl Signals {
    pub(crate) fn new(limits: Quarantine) -> Self {
        Signals { limits, waiting: Mutex::default(), changed: Condvar::default(), start: OnceLock::new() }
    }

    /// Sets how to start the thread that acts on signals; called with every signal.
    pub fn start_with(&self, start: impl Fn() + Send + Sync + 'static) {
        let _ = self.start.set(Box::new(start));
    }

    pub(super) fn tell(&self, signal: Signal) {
        self.waiting.lock().signals.push(signal);
        self.changed.notify_all();
        self.start();
    }

    /// Starts the thread that acts on signals, if it is not running.
    pub fn start(&self) {
        if let Some(start) = self.start.get() {
            start();
        }
    }

    /// Makes the waiting thread look for itself at `then` or earlier: something begins that ends without a signal.
    pub fn look_at(&self, then: Instant) {
        let mut waiting = self.waiting.lock();
        // It is rarely woken by this: it sleeps no longer than until it next looks for stuck calls.
        if waiting.look.is_none_or(|look| then < look) {
            waiting.look = Some(then);
            self.changed.notify_all();
        }
        drop(waiting);
        self.start();
    }

    /// Waits for signals until `until` at the latest; `None` when there will be no more.
    pub fn wait(&self, until: Option<Instant>) -> Option<Vec<Signal>> {
        let mut waiting = self.waiting.lock();
        // Requests made since the caller last looked count as well.
        waiting.look = waiting.look.into_iter().chain(until).min();
        while waiting.signals.is_empty() && !waiting.over && waiting.look.is_none_or(|look| Instant::now() < look) {
            let look = waiting.look;
            self.changed.wait(&mut waiting, look);
        }
        waiting.look = None;
        (!waiting.over).then(|| std::mem::take(&mut waiting.signals))
    }

    /// Ends the waiting thread.
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

    /// Only a failure waits this long.
    const LONG: Duration = Duration::from_secs(300);

    #[test]
    fn a_waiting_thread_looks_when_it_is_asked_to() {
        let signals = Signals::new(Quarantine::default());
        let (woken, wakes) = channel();
        scope(|scope| {
            scope.spawn(|| {
                while signals.wait(None).is_some() {
                    woken.send(()).unwrap();
                }
            });
            // Whether it is already waiting or waits later.
            let is_woken = (0..100).all(|_| {
                signals.look_at(Instant::now());
                wakes.recv_timeout(LONG).is_ok()
            });
            signals.end();
            assert!(is_woken);
        });
    }

    #[test]
    fn the_earlier_of_two_times_holds() {
        let signals = Signals::new(Quarantine::default());
        let (now, later) = (Instant::now(), Instant::now() + LONG);
        signals.look_at(now);
        signals.look_at(later);
        assert_eq!(signals.wait(Some(later)).map(|found| found.len()), Some(0));
        signals.look_at(later);
        assert_eq!(signals.wait(Some(now)).map(|found| found.len()), Some(0));
        assert!(Instant::now() < later);
    }
}
