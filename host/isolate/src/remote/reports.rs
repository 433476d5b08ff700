//! Where the reports of a worker's processes go.

use std::time::Duration;

use hookrail_dispatch::{Condvar, deadline_after};
use hookrail_engine::Crashes;
use hookrail_model::crash::CrashReport;
use hookrail_model::log;
use parking_lot::Mutex;

/// The reports of a worker's processes. They are written by threads of their own, for which no call and no restart waits.
pub(super) struct Reports {
    worker: String,
    crashes: Crashes,
    /// How many processes have ended whose reports are not written yet.
    due: Mutex<usize>,
    /// Signalled when there are fewer.
    changed: Condvar,
}

impl Reports {
    pub(super) fn new(worker: String, crashes: Crashes) -> Self {
        Reports { worker, crashes, due: Mutex::new(0), changed: Condvar::default() }
    }

    /// The name of the worker.
    pub(super) fn worker(&self) -> &str {
        &self.worker
    }

    /// One will be written.
    pub(super) fn begin(&self) {
        *self.due.lock() += 1;
    }

    /// One that was to be written has been, or cannot be.
    pub(super) fn end(&self) {
        *self.due.lock() -= 1;
        self.changed.notify_all();
    }

    /// Waits until all are written, but not longer than a disk may take.
    pub(super) fn wait(&self) {
        let mut due = self.due.lock();
        self.changed.wait_while(&mut due, |due| *due > 0, Some(deadline_after(Duration::from_secs(10))));
    }

    pub(super) fn keep(&self, report: &CrashReport) {
        if let Err(error) = self.crashes.keep(report) {
            log!(error, worker = self.worker, "the report of its end cannot be kept: {error}");
        }
    }
}
