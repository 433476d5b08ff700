//! What the plugin counts for the operator's monitoring.

use hookrail_abi::metrics::{Counter, Gauge, Metric};

static FOLLOWED: Gauge = Gauge::new();
static BEHIND: Gauge = Gauge::new();
static CUT: Counter = Counter::new();

/// What is counted.
pub(crate) const METRICS: &[Metric] = &[
    Metric::gauge("followed_files", "Files that are followed now.", &FOLLOWED),
    Metric::gauge("behind", "Bytes of the followed files that are not sent yet, as far as is known.", &BEHIND)
        .unit("bytes"),
    Metric::counter("cut_lines", "Lines of which the end is missing, since they were too long.", &CUT),
];

/// So many lines were sent without their ends.
pub(crate) fn cut(lines: u64) {
    CUT.add(lines);
}

/// The share of one run in the numbers of all; it is taken back when the run ends.
#[derive(Debug, Default)]
pub(crate) struct Share {
    files: i64,
    behind: i64,
}

impl Share {
    /// So many files are followed by it now, and so many of their bytes are not sent.
    pub(crate) fn set(&mut self, files: usize, behind: u64) {
        let (files, behind) = (files as i64, i64::try_from(behind).unwrap_or(i64::MAX));
        FOLLOWED.add(files - self.files);
        BEHIND.add(behind - self.behind);
        (self.files, self.behind) = (files, behind);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0, 0);
    }
}
