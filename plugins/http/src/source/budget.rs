//! What the requests that are being taken may need, all together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much there is at most, and is used.
///
/// # Invariants
/// `requests` and `bytes` are the sums of what the [`Held`] have.
#[derive(Debug)]
pub(crate) struct Budget {
    most_requests: usize,
    most_bytes: usize,
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one request has of it. Dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(most_requests: usize, most_bytes: usize) -> Arc<Self> {
        Arc::new(Budget { most_requests, most_bytes, requests: AtomicUsize::new(0), bytes: AtomicUsize::new(0) })
    }

    /// For one more request; `None` if there are too many.
    pub(crate) fn request(self: &Arc<Self>) -> Option<Held> {
        take(&self.requests, 1, self.most_requests).then(|| Held { budget: self.clone(), bytes: 0 })
    }
}

impl Held {
    /// So many bytes more, or false if there are none.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let has_room = take(&self.budget.bytes, bytes, self.budget.most_bytes);
        self.bytes += if has_room { bytes } else { 0 };
        has_room
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Relaxed: only the sums matter, and nothing is read by their order.
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Adds to `used` unless it would become more than `most`.
fn take(used: &AtomicUsize, more: usize, most: usize) -> bool {
    // Relaxed: as above.
    let sum = |used: usize| used.checked_add(more).filter(|sum| *sum <= most);
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_back_and_never_more_than_there_is() {
        let budget = Budget::new(2, 100);
        let (mut first, second) = (budget.request().unwrap(), budget.request().unwrap());
        assert!(budget.request().is_none());
        assert!(first.grow(60) && first.grow(40) && !first.grow(1) && !first.grow(usize::MAX));
        drop(first);
        let mut third = budget.request().unwrap();
        assert!(third.grow(100));
        drop((second, third));
        assert_eq!((budget.requests.load(Ordering::Relaxed), budget.bytes.load(Ordering::Relaxed)), (0, 0));
    }
}
