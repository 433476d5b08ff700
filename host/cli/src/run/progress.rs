//! The progress of the input, on a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::input::Named;
use crate::args::Run;
use crate::{stderr, stdout};

/// A bar if the size of the input is known, else a running count; hidden if stderr is not a terminal.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(inputs: &[Named], options: &Run) -> Self {
        // Messages on the same terminal show progress well enough.
        if options.quiet || stdout::ours().is_terminal() {
            return Progress { bar: ProgressBar::hidden() };
        }
        let size: Option<u64> = inputs.iter().map(Named::size).sum();
        let (bar, style) = match size {
            Some(size) => {
                (ProgressBar::new(size), "{wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}")
            }
            None => (ProgressBar::no_length(), "{spinner} {binary_bytes} {binary_bytes_per_sec} {elapsed}"),
        };
        bar.set_style(ProgressStyle::with_template(style).expect("our template is well-formed"));
        stderr::beside(&bar);
        Progress { bar }
    }

    pub(super) fn read(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
