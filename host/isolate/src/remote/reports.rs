//! Where the reports of a worker's processes go.

use std::sync::Arc;

use hookrail_engine::Crashes;
use hookrail_model::crash::CrashReport;
use hookrail_model::log;

use super::aftermath::Aftermath;

/// The reports of a worker's processes. They are written by threads of their own, for which no call and no restart waits.
pub(super) struct Reports {
    worker: String,
    crashes: Crashes,
    /// Those that are not written yet are a part of it.
    pub(super) aftermath: Arc<Aftermath>,
}

impl Reports {
    pub(super) fn new(worker: String, crashes: Crashes) -> Self {
        Reports { worker, crashes, aftermath: Arc::default() }
    }

    /// The name of the worker.
    pub(super) fn worker(&self) -> &str {
        &self.worker
    }

    pub(super) fn keep(&self, report: &CrashReport) {
        if let Err(error) = self.crashes.keep(report) {
            log!(error, worker = self.worker, "the report of its end cannot be kept: {error}");
        }
    }
}
