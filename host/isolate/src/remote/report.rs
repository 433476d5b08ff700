//! The report of a process that has ended otherwise than its host wanted.
//!
//! A thread makes it when the end is known, and writes it; whoever has lost a call has it written again with that call.

use std::sync::Arc;
use std::time::SystemTime;

use hookrail_engine::Crashes;
use hookrail_model::crash::{CrashReport, LostCall};
use hookrail_model::log;

use super::aftermath::Due;
use super::live::Live;
use super::trace;

impl Live {
    /// Has the report written.
    pub(super) fn report(self: &Arc<Self>, due: Due) {
        self.crash.lock().is_being_written = true;
        self.write_report(due);
    }

    /// A call was lost with it.
    pub(super) fn lost(self: &Arc<Self>, call: LostCall) {
        let mut crash = self.crash.lock();
        crash.lose(call);
        // Else whoever writes it will see the call.
        if crash.report.is_some() && !crash.is_being_written {
            crash.is_being_written = true;
            drop(crash);
            self.write_report(self.reports.aftermath.begin());
        }
    }

    fn write_report(self: &Arc<Self>, due: Due) {
        let live = self.clone();
        let write = move || {
            live.make_report();
            while let Some(report) = live.next_report() {
                live.reports.keep(&report);
            }
            drop(live);
            drop(due);
        };
        if let Err(error) = std::thread::Builder::new().name("hookrail-report".into()).spawn(write) {
            log!(error, worker = self.reports.worker(), "the report of its end cannot be written: {error}");
            self.crash.lock().is_being_written = false;
        }
    }

    /// Makes it, if it is not made yet. Finding names takes a while, during which nobody waits.
    fn make_report(&self) {
        let (opened, why) = {
            let mut crash = self.crash.lock();
            if crash.report.is_some() {
                return;
            }
            (std::mem::take(&mut crash.opened), crash.why.clone())
        };
        let (time, how) = (SystemTime::now(), why.unwrap_or_else(|| self.how_it_ended()));
        let mut report = CrashReport::new(Crashes::id(time), time, self.reports.worker(), how);
        report.pid = self.pid();
        report.plugins = opened.iter().map(|opened| opened.plugin.clone()).collect();
        report.backtrace = self.last_words().map(|said| trace::names(&said, &opened)).unwrap_or_default();
        self.crash.lock().report = Some(report);
    }

    /// The report with all calls that are known to be lost by now, if it was not written with them yet; after `None`
    /// nobody is writing it.
    fn next_report(&self) -> Option<CrashReport> {
        let mut crash = self.crash.lock();
        let count = crash.lost.len();
        if crash.written.replace(count) == Some(count) {
            crash.is_being_written = false;
            return None;
        }
        let mut report = crash.report.clone()?;
        report.lost.clone_from(&crash.lost);
        Some(report)
    }
}
