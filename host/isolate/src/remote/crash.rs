//! What is known of the end of a process, as it becomes known.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hookrail_model::crash::{CrashReport, CrashedPlugin, LostCall};

use crate::wire::PluginId;

/// How many lost calls a report has.
const MOST_CALLS: usize = 64;
/// How much their inputs may be together, in bytes of JSON.
const MOST_INPUT: usize = 1 << 20;

/// What is known of the end of a process.
#[derive(Default)]
pub(super) struct Crash {
    /// The plugins that were opened in it and have not been closed.
    pub(super) opened: Vec<Opened>,
    /// Why its host has ended it, if it has.
    pub(super) why: Option<String>,
    /// The calls that were lost with it: the first ones.
    pub(super) lost: Vec<LostCall>,
    /// How much their inputs are.
    input: usize,
    /// The report, once it is made.
    pub(super) report: Option<CrashReport>,
    /// With how many lost calls it was written last.
    pub(super) written: Option<usize>,
    /// Whether a thread is writing it, and looks at the calls once more when it has.
    pub(super) is_being_written: bool,
}

/// A plugin that was opened in a process.
pub(super) struct Opened {
    pub(super) number: PluginId,
    pub(super) plugin: CrashedPlugin,
    /// The private copy of its file.
    pub(super) copy: Arc<OwnedFd>,
}

impl Crash {
    /// Adds a call that was lost.
    pub(super) fn lose(&mut self, mut call: LostCall) {
        if self.lost.len() == MOST_CALLS {
            return;
        }
        let input = call.input.as_ref().map_or(0, |input| input.to_string().len());
        if self.input + input > MOST_INPUT {
            call.input = None;
            call.without_input = Some(format!("it has {input} bytes, and a report has {MOST_INPUT} at most"));
        } else {
            self.input += input;
        }
        self.lost.push(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_bounded_whatever_was_lost() {
        let mut crash = Crash::default();
        for _ in 0..2 * MOST_CALLS {
            let mut call = LostCall::new("message.publish", "mask/mask");
            call.input = Some("x".repeat(MOST_INPUT / 4).into());
            crash.lose(call);
        }
        assert_eq!(crash.lost.len(), MOST_CALLS);
        let with_input = crash.lost.iter().filter(|call| call.input.is_some()).count();
        assert_eq!(with_input, 3, "each has two quotes more than its share");
        assert!(crash.lost.iter().all(|call| call.input.is_some() != call.without_input.is_some()));
    }
}
