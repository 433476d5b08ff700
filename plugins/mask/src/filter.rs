//! Finding out by one search that no rule matches.
//!
//! Most messages match nothing. One search for any of several patterns is often faster than a search for each, and
//! sometimes slower: which, depends on the patterns and on the messages. So the first messages are searched both ways,
//! and the faster way is taken from then on. What is masked is the same either way.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hookrail_abi::Bytes;
use regex::bytes::Regex;

/// How many messages are searched both ways.
const TRIALS: u32 = 128;

/// How many of them only warm up: a search builds its automaton while it runs.
const WARM_UP: u32 = 64;

/// More than a search takes: a thread that was interrupted says nothing about the patterns.
const LONGEST: Duration = Duration::from_micros(50);

/// A search for any of several patterns.
pub(crate) struct Filter {
    any: Regex,
    trials: AtomicU32,
    /// How many nanoseconds more the searches of the trials took with the filter.
    more_ns: AtomicI64,
}

impl Filter {
    /// `None` for a single pattern, and for patterns that cannot be put together: one whose comment has no end, or too
    /// many.
    pub(crate) fn new(patterns: &[String]) -> Option<Self> {
        let any: Vec<_> = patterns.iter().map(|pattern| format!("(?:{pattern})")).collect();
        let any = Regex::new(&any.join("|")).ok().filter(|_| patterns.len() > 1)?;
        Some(Filter { any, trials: AtomicU32::new(0), more_ns: AtomicI64::new(0) })
    }

    /// Runs `mask` unless it would find nothing.
    pub(crate) fn run(&self, text: &mut Bytes, mask: impl FnOnce(&mut Bytes)) {
        // Relaxed, here and below: any thread may be a trial late.
        if self.trials.load(Ordering::Relaxed) < TRIALS {
            self.try_both(text, mask);
        } else if self.more_ns.load(Ordering::Relaxed) > 0 || self.any.is_match(text) {
            mask(text);
        }
    }

    #[cold]
    fn try_both(&self, text: &mut Bytes, mask: impl FnOnce(&mut Bytes)) {
        let start = Instant::now();
        let is_match = self.any.is_match(text);
        let filtered = start.elapsed().min(LONGEST);
        let start = Instant::now();
        mask(text);
        let searched = start.elapsed().min(LONGEST);
        // With the filter, a match takes both.
        let saved = if is_match { Duration::ZERO } else { searched };
        if self.trials.fetch_add(1, Ordering::Relaxed) >= WARM_UP {
            self.more_ns.fetch_add(filtered.as_nanos() as i64 - saved.as_nanos() as i64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(patterns: &[&str]) -> Option<Filter> {
        Filter::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_matches_is_searched_by_either_way() {
        for more_ns in [-1, 1] {
            let filter = filter(&["a+", "(?i)b"]).unwrap();
            filter.trials.store(TRIALS, Ordering::Relaxed);
            filter.more_ns.store(more_ns, Ordering::Relaxed);
            for (text, is_match) in [("xa", true), ("B", true), ("A", false), ("", false)] {
                let mut searched = false;
                filter.run(&mut text.into(), |_| searched = true);
                assert_eq!(searched, is_match || more_ns > 0, "{text}");
            }
        }
    }

    #[test]
    fn trials_search_every_message_and_come_to_an_end() {
        let filter = filter(&["a", "b"]).unwrap();
        for trial in 0..TRIALS {
            assert_eq!(filter.trials.load(Ordering::Relaxed), trial);
            let mut searched = false;
            filter.run(&mut "nothing".into(), |_| searched = true);
            assert!(searched);
        }
        filter.run(&mut "a".into(), |_| ());
        assert_eq!(filter.trials.load(Ordering::Relaxed), TRIALS);
    }

    #[test]
    fn patterns_that_cannot_be_put_together_have_none() {
        assert!(filter(&["a"]).is_none());
        assert!(filter(&["(?x) a # a comment", "b"]).is_none());
    }
}
