//! What is said of lines that are no messages.

use std::borrow::Cow;
use std::sync::Arc;

use super::counters::Counters;
use crate::args::Run;
use crate::stderr;

/// How many malformed lines are shown; all are counted.
const SHOWN: u64 = 10;

/// How much of why a line is no message is shown, in bytes: it may name a field of any length.
const LONGEST_REASON: usize = 300;

/// Counts and shows them, in the order of the lines.
pub(super) struct Complaints<'a> {
    options: &'a Run,
    counters: Arc<Counters>,
}

impl<'a> Complaints<'a> {
    pub(super) fn new(options: &'a Run, counters: Arc<Counters>) -> Self {
        Complaints { options, counters }
    }

    #[cold]
    pub(super) fn bad(&self, source: &str, line: u64, error: &serde_json::Error) {
        self.counters.bad_lines.add(1);
        if self.counters.bad_lines.value() <= SHOWN {
            // The parser counts lines too, and for it there is only one.
            let what = error.to_string();
            let what = without_value(what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what));
            let what = &what[..what.floor_char_boundary(LONGEST_REASON)];
            stderr::line(format_args!("{source}:{line}:{}: not a message: {what}", error.column()));
        }
        if self.counters.bad_lines.value() == SHOWN + 1 {
            stderr::line("more lines that are not messages are counted, but not shown");
        }
    }

    #[cold]
    pub(super) fn too_long(&self, source: &str, line: u64, length: u64) {
        self.counters.long_lines.add(1);
        if self.counters.long_lines.value() <= SHOWN {
            let longest = self.options.max_line.0;
            stderr::line(format_args!("{source}:{line}: skipped: it has {length} bytes, --max-line allows {longest}"));
        }
        if self.counters.long_lines.value() == SHOWN + 1 {
            stderr::line("more lines that are too long are counted, but not shown");
        }
    }
}

/// Why a value is not the right one, without the value: a mask has not seen it.
fn without_value(what: &str) -> Cow<'_, str> {
    let is_quoted = what.starts_with("invalid type: ") || what.starts_with("invalid value: ");
    match (what.find(['"', '`']), what.rfind(", expected ")) {
        (Some(value), Some(expected)) if is_quoted && value < expected => {
            format!("{}{}", what[..value].trim_end(), &what[expected..]).into()
        }
        _ => what.into(),
    }
}
