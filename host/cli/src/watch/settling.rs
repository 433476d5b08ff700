//! Whether a change is over.

use std::time::Instant;

use super::QUIET;

/// Something that is looked at repeatedly. It has settled when it differs from what was handled last and has been the
/// same for [`QUIET`].
pub(crate) struct Settling<T> {
    handled: T,
    /// The last value seen, and since when.
    changed: Option<(T, Instant)>,
}

impl<T: PartialEq> Settling<T> {
    pub(crate) fn new(handled: T) -> Self {
        Settling { handled, changed: None }
    }

    /// Returns since when it has had the value `seen`, if it has settled. Later looks do so too, until it is
    /// [`handled`](Self::handled).
    pub(crate) fn look(&mut self, seen: T, now: Instant) -> Option<Instant> {
        match &self.changed {
            _ if seen == self.handled => self.changed = None,
            Some((last, since)) if *last == seen => return (now - *since >= QUIET).then_some(*since),
            _ => self.changed = Some((seen, now)),
        }
        None
    }

    /// Whether it must be looked at again soon.
    pub(crate) fn is_settling(&self) -> bool {
        self.changed.is_some()
    }

    /// Marks the last value seen as handled.
    pub(crate) fn handled(&mut self) {
        if let Some((seen, _)) = self.changed.take() {
            self.handled = seen;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_goes_on_changing_has_not_settled() {
        let mut file = Settling::new(0);
        let start = Instant::now();
        for size in 1..100 {
            assert_eq!(file.look(size, start + QUIET * size), None);
        }
        assert_eq!(file.look(99, start + QUIET * 99 + QUIET / 2), None);
        assert_eq!(file.look(99, start + QUIET * 100), Some(start + QUIET * 99));
    }

    #[test]
    fn a_change_is_reported_until_it_was_handled() {
        let mut file = Settling::new('a');
        let start = Instant::now();
        assert_eq!(file.look('b', start), None);
        assert!(file.look('b', start + QUIET).is_some() && file.look('b', start + QUIET).is_some());
        file.handled();
        assert!(file.look('b', start + QUIET * 9).is_none() && !file.is_settling());
    }

    #[test]
    fn a_file_that_is_as_before_did_not_change() {
        let mut file = Settling::new('a');
        let start = Instant::now();
        file.look('b', start);
        assert_eq!(file.look('a', start + QUIET), None);
        assert!(!file.is_settling());
        assert_eq!(file.look('b', start + QUIET * 2), None);
    }
}
