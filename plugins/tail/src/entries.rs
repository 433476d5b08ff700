//! Where one message ends and the next one begins: lines, and lines that belong together.

use std::ops::Range;
use std::time::Duration;

use memchr::memchr;
use regex::bytes::Regex;

/// How bytes are divided into messages.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The most bytes of a line, the newline not counted.
    pub(crate) max_line: usize,
    /// If lines are joined.
    pub(crate) joined: Option<Joined>,
}

/// How lines are joined.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    /// What matches the first line of an entry.
    pub(crate) start: Regex,
    /// The most bytes of an entry.
    pub(crate) max_bytes: usize,
    /// The most lines of an entry.
    pub(crate) max_lines: usize,
    /// How long a file must not have grown until its last entry is whole.
    pub(crate) idle: Duration,
}

/// One message in the bytes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its body.
    pub(crate) body: Range<usize>,
    /// How many bytes of its line are missing in the body.
    pub(crate) cut: u64,
    /// Where the next one begins.
    pub(crate) end: usize,
}

/// What is known of the bytes behind the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rest {
    /// There may be more at any time.
    Expected,
    /// None have come for so long that the last entry is whole.
    Late,
    /// None have come for so long that the last line is whole, too, though no newline ends it.
    None,
}

impl Rules {
    /// The size of a window that shows at least one whole entry, or the most that may be sent of one.
    pub(crate) fn window(&self) -> usize {
        const AT_LEAST: usize = 256 << 10;
        // Two more, for a carriage return and a newline: without them it is clear that the line does not fit.
        let most = self.joined.as_ref().map_or(0, |joined| joined.max_bytes).max(self.max_line);
        AT_LEAST.max(most + 2)
    }

    /// The entry that begins at `from`; `None` while its end is not to be seen. The first `searched` bytes of the window
    /// are known to have no newline from `from` on.
    pub(crate) fn next(&self, window: &[u8], from: usize, searched: usize, rest: Rest) -> Option<Entry> {
        let searched = searched.max(from);
        let Some(newline) = memchr(b'\n', &window[searched..]).map(|at| searched + at) else {
            return (rest == Rest::None && from < window.len()).then(|| self.line(window, from, window.len()));
        };
        let line = self.line(window, from, newline);
        match &self.joined {
            Some(joined) if line.cut == 0 => joined.entry(window, line, self.max_line, rest),
            _ => Some(line),
        }
    }

    fn line(&self, window: &[u8], from: usize, to: usize) -> Entry {
        let end = (to + 1).min(window.len());
        let to = without_return(window, from, to);
        let most = to.min(from + self.max_line);
        Entry { body: from..most, cut: (to - most) as u64, end }
    }
}

impl Joined {
    /// The entry that begins with the line `first`.
    fn entry(&self, window: &[u8], first: Entry, max_line: usize, rest: Rest) -> Option<Entry> {
        let mut entry = first;
        let from = entry.body.start;
        for _ in 1..self.max_lines {
            let next = entry.end;
            let newline = memchr(b'\n', &window[next..]).map(|at| next + at);
            let to = without_return(window, next, newline.unwrap_or(window.len()));
            if to - from > self.max_bytes || to - next > max_line {
                return Some(entry);
            }
            if newline.is_none() && (rest == Rest::Expected || rest == Rest::Late && next < window.len()) {
                return None;
            }
            if next == window.len() || self.start.is_match(&window[next..to]) {
                return Some(entry);
            }
            entry = Entry { body: from..to, cut: 0, end: newline.map_or(window.len(), |newline| newline + 1) };
        }
        Some(entry)
    }
}

/// Where a line ends that has a newline at `to`: before the carriage return, if there is one.
fn without_return(window: &[u8], from: usize, to: usize) -> usize {
    if window[from..to].ends_with(b"\r") { to - 1 } else { to }
}

#[cfg(test)]
mod tests;
