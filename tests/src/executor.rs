//! The smallest executor, and a waker that counts: what waits for a host needs no more than the standard library.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{Thread, current, park_timeout};
use std::time::{Duration, Instant};

/// Only a failure waits this long.
const PATIENCE: Duration = Duration::from_secs(300);

/// Polls the future on this thread, which is parked until it is woken.
///
/// # Panics
/// If nobody wakes it.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let parked = Arc::new(Parked { thread: current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(parked.clone());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let deadline = Instant::now() + PATIENCE;
        while !parked.is_woken.swap(false, Ordering::SeqCst) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nobody wakes the task");
            park_timeout(left);
        }
    }
}

struct Parked {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// A task that is polled by hand, and counts how often it is woken.
#[derive(Debug, Default)]
pub struct Counted(Arc<Wakes>);

#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that panics.
pub fn panicking() -> Waker {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }
    Waker::from(Arc::new(Panics))
}

impl Counted {
    /// Polls a future once, in the name of this task.
    pub fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        std::pin::Pin::new(future).poll(&mut Context::from_waker(&Waker::from(self.0.clone())))
    }

    /// How often it was woken.
    pub fn wakes(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Whether anybody could still wake it.
    pub fn is_known(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}
