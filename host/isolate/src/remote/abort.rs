//! Ending a process that does not answer, and hearing where it was.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::live::Live;
use crate::last_words::Said;

impl Live {
    /// As [`kill`](Self::kill), but the thread that serves that lane, or else the first one, is given a moment to say
    /// where it is.
    pub(super) fn abort(&self, lane: Option<usize>, why: String) {
        const MOMENT: Duration = Duration::from_secs(5);
        let Some(process) = self.process.get() else { return };
        {
            let mut crash = self.crash.lock();
            // Relaxed: as in `kill`.
            if self.is_killed.swap(true, Ordering::Relaxed) {
                return;
            }
            crash.why = Some(why);
        }
        // Nobody is to wait for it, or to call it, from now on.
        // Release: as in `end`; who asks how it ended waits for that.
        self.dead.store(true, Ordering::Release);
        self.region.poison();
        self.last_words.ask(lane.unwrap_or(usize::MAX));
        let _ = process.signal(libc::SIGABRT);
        let ending = process.clone();
        let end = move || {
            if ending.wait(MOMENT).is_none() {
                ending.kill();
            }
        };
        if std::thread::Builder::new().name("hookrail-abort".into()).spawn(end).is_err() {
            process.kill();
        }
    }

    /// What it said when it ended; nothing if nobody had asked it to end in vain.
    pub(super) fn last_words(&self) -> Option<Said> {
        self.last_words.hear()
    }
}
