//! What the requests that are being taken may need, all together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::answer::Refusal;

/// How much there is at most, and is used.
///
/// # Invariants
/// `requests` and `bytes` are the sums of what the [`Held`] have.
#[derive(Debug)]
pub(crate) struct Budget {
    most_requests: usize,
    most_bytes: usize,
    /// After how many seconds a client may try again if there is no room.
    pause: u64,
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one request has of it. Dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    is_counted: bool,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(most_requests: usize, most_bytes: usize, pause: u64) -> Arc<Self> {
        let (requests, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Budget { most_requests, most_bytes, pause, requests, bytes })
    }

    /// For one more request, which has nothing of it yet.
    pub(crate) fn hold(self: &Arc<Self>) -> Held {
        Held { budget: self.clone(), is_counted: false, bytes: 0 }
    }

    /// There is no room for the request.
    pub(crate) fn full(&self, why: &str) -> Refusal {
        Refusal::full(why, self.pause)
    }
}

impl Held {
    /// Counts the request, once: when its body is whole, so that who sends half of one keeps nobody out.
    ///
    /// # Errors
    /// If there are too many.
    pub(crate) fn count(&mut self) -> Result<(), Refusal> {
        self.is_counted = take(&self.budget.requests, 1, self.budget.most_requests);
        if self.is_counted { Ok(()) } else { Err(self.budget.full("the source takes as many requests as it may")) }
    }

    /// So many bytes more.
    ///
    /// # Errors
    /// If there are none now, or could never be.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        if take(&self.budget.bytes, bytes, self.budget.most_bytes) {
            self.bytes += bytes;
            return Ok(());
        }
        if self.bytes.saturating_add(bytes) > self.budget.most_bytes {
            let most = self.budget.most_bytes;
            return Err(Refusal::too_large(format!(
                "it would need more than {most} bytes of memory: send it in parts"
            )));
        }
        Err(self.budget.full("the source has no room for the request"))
    }

    /// Has `buffer` take so many elements more, of `most` that it may ever have. All of its capacity is held.
    ///
    /// # Errors
    /// As for [`grow`](Self::grow).
    pub(crate) fn reserve<T>(&mut self, buffer: &mut Vec<T>, more: usize, most: usize) -> Result<(), Refusal> {
        let (needed, before) = (buffer.len() + more, buffer.capacity());
        if needed > before {
            // Twice as much, so that it is not copied again and again; or else just that.
            let mut wanted = needed.max((2 * before).min(most));
            if self.grow((wanted - before) * size_of::<T>()).is_err() {
                wanted = needed;
                self.grow((wanted - before) * size_of::<T>())?;
            }
            buffer.reserve_exact(wanted - buffer.len());
        }
        Ok(())
    }

    /// What such a buffer needed is free again.
    pub(crate) fn free<T>(&mut self, buffer: Vec<T>) {
        let bytes = (buffer.capacity() * size_of::<T>()).min(self.bytes);
        drop(buffer);
        self.bytes -= bytes;
        // Relaxed: as below.
        self.budget.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Relaxed: only the sums matter, and nothing is read by their order.
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.requests.fetch_sub(self.is_counted.into(), Ordering::Relaxed);
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
    use hyper::StatusCode;

    use super::*;

    fn used(budget: &Budget) -> (usize, usize) {
        (budget.requests.load(Ordering::Relaxed), budget.bytes.load(Ordering::Relaxed))
    }

    #[test]
    fn what_is_held_is_given_back_and_never_more_than_there_is() {
        let budget = Budget::new(2, 100, 1);
        let [mut first, mut second, mut third] = [(); 3].map(|()| budget.hold());
        first.count().unwrap();
        second.count().unwrap();
        assert_eq!(third.count().unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        first.grow(60).unwrap();
        second.grow(40).unwrap();
        // Later there may be room for the first, and never for the second.
        assert_eq!(second.grow(60).unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(second.grow(61).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(second.grow(usize::MAX).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        drop(first);
        third.count().unwrap();
        third.grow(60).unwrap();
        drop((second, third));
        assert_eq!(used(&budget), (0, 0));
    }

    #[test]
    fn a_buffer_is_held_by_its_capacity() {
        let budget = Budget::new(1, 100, 1);
        let mut held = budget.hold();
        let mut buffer = Vec::<u16>::new();
        for number in 0..40 {
            held.reserve(&mut buffer, 1, 40).unwrap();
            buffer.push(number);
            assert_eq!(used(&budget).1, 2 * buffer.capacity());
        }
        assert_eq!(buffer.capacity(), 40);
        // Twice as much would be too much.
        held.reserve(&mut buffer, 10, 1000).unwrap();
        assert_eq!(buffer.capacity(), 50);
        assert!(held.reserve(&mut buffer, 11, 1000).is_err());
        held.free(buffer);
        assert_eq!(used(&budget).1, 0);
    }
}
