//! The report of a process that has ended otherwise than its host wanted.
//!
//! It is written when the end is known; the calls that were lost are added as those who made them find out.

use std::time::SystemTime;

use hookrail_engine::Crashes;
use hookrail_model::crash::{CrashReport, LostCall};
use hookrail_model::log;

use super::live::Live;
use super::trace;
use super::worker::Worker;

impl Worker {
    /// How many lost calls a report has.
    const MOST_CALLS: usize = 64;

    /// Writes down how a process ended that was not to end.
    pub(super) fn report(&self, ended: &Live) {
        let how = ended.how_it_ended();
        if ended.is_dismissed() {
            return;
        }
        let time = SystemTime::now();
        let mut crash = ended.crash.lock();
        let opened = std::mem::take(&mut crash.opened);
        let how = crash.why.clone().unwrap_or(how);
        let mut report = CrashReport::new(Crashes::id(time), time, &*self.name, how);
        report.plugins = opened.iter().map(|opened| opened.plugin.clone()).collect();
        report.backtrace = ended.last_words().map(|said| trace::names(&said, &opened)).unwrap_or_default();
        (report.pid, report.lost) = (ended.pid(), crash.lost.clone());
        self.keep(&report);
        crash.report = Some(report);
    }

    /// A call was lost with a process.
    pub(super) fn lost(&self, live: &Live, call: LostCall) {
        let mut crash = live.crash.lock();
        if crash.lost.len() == Self::MOST_CALLS {
            return;
        }
        crash.lost.push(call.clone());
        if let Some(report) = &mut crash.report {
            report.lost.push(call);
            self.keep(report);
        }
    }

    fn keep(&self, report: &CrashReport) {
        if let Err(error) = self.crashes.keep(report) {
            log!(error, worker = self.name, "the report of its end cannot be kept: {error}");
        }
    }
}
