//! The timed loops. Each checks the verdict of every round, and at the end that every callback ran in every round.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::from_mut;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hookrail::{Decision, HookPoint};
use hookrail_abi::boundary::RawCallback;
use hookrail_benches::{Work, WorkDone};

use super::hosts::{Aligned, run_raw};

/// The number of copies of each loop, at different addresses. The address determines whether the processor predicts the
/// end of a chain: a misprediction costs about 7 ns from 14 callbacks on, in the raw loop as in any other. Addresses
/// change with every link, so the fastest copy of each side is compared with that of the other.
pub(crate) const PLACES: usize = 8;

static PLACE: AtomicUsize = AtomicUsize::new(0);

/// Selects the copies that run from now on.
pub(crate) fn set_place(place: usize) {
    PLACE.store(place, Ordering::Relaxed);
}

/// The copies that run.
pub(crate) fn place() -> usize {
    PLACE.load(Ordering::Relaxed)
}

/// Runs a closure a number of times on one payload. A macro, so that each copy of the loop has its own closure, which
/// the compiler inlines.
macro_rules! timed {
    ($rounds:expr, $callbacks:expr, |$work:ident| $once:expr) => {
        $crate::shared::loops::timed!(@ $rounds, $callbacks, $work, $once; 0 1 2 3 4 5 6 7)
    };
    (@ $rounds:expr, $callbacks:expr, $work:ident, $once:expr; $($place:literal)*) => {
        match $crate::shared::loops::place() {
            $($place => $crate::shared::loops::timed_at::<$place>($rounds, $callbacks, |$work| $once),)*
            _ => unreachable!("there are eight places"),
        }
    };
}
pub(crate) use timed;

/// One copy of the loop.
#[inline(never)]
pub(crate) fn timed_at<const PLACE: usize>(rounds: u64, callbacks: usize, once: impl Fn(&mut Work)) -> Duration {
    // SAFETY: a comment, so that the compiler does not make one function of the copies.
    unsafe { std::arch::asm!("/* place {} */", const PLACE, options(nomem, nostack)) };
    let mut work = Work::default();
    let start = Instant::now();
    for _ in 0..rounds {
        once(black_box(&mut work));
    }
    let elapsed = start.elapsed();
    assert_eq!(work.seen(), rounds * callbacks as u64, "every callback ran in every round");
    elapsed
}

/// The loop itself.
pub(crate) fn empty(rounds: u64) -> Duration {
    timed!(rounds, 0, |_work| ())
}

/// The raw loop over the same callbacks; the host that registered them must be kept.
pub(crate) fn raw(rounds: u64, pairs: &Aligned) -> Duration {
    timed!(rounds, pairs.len(), |work| {
        // SAFETY: the callers keep the host, and the payload is that of its point.
        assert!(unsafe { run_raw(pairs, from_mut(work).cast()) } == 0);
    })
}

/// The raw loop with eight call sites, over at least one callback.
pub(crate) fn unrolled(rounds: u64, pairs: &Aligned) -> Duration {
    assert!(!pairs.is_empty());
    timed!(rounds, pairs.len(), |work| {
        // SAFETY: there is a pair, the callers keep the host, and the payload is that of its point.
        assert!(unsafe { run_unrolled(pairs, from_mut(work).cast()) } == 0);
    })
}

/// The raw loop with eight call sites, as dispatch has them: a processor predicts each site by itself.
///
/// # Safety
/// As for [`run_raw`], and there is at least one pair.
#[inline(always)]
unsafe fn run_unrolled(pairs: &[(RawCallback, *mut c_void)], payload: *mut c_void) -> u32 {
    let std::ops::Range { start: mut pair, end } = pairs.as_ptr_range();
    macro_rules! sites {
        ($($site:literal)*) => {
            loop {
                $(
                    let _ = $site;
                    // SAFETY: the pair lies before the end: it is registered on the point whose payload this is, and
                    // which is exclusive for the call.
                    let answer = unsafe { ((*pair).0)((*pair).1, payload) };
                    if answer != 0 {
                        return answer;
                    }
                    // SAFETY: a pair, or the end of the pairs, comes next.
                    pair = unsafe { pair.add(1) };
                    if pair == end {
                        return 0;
                    }
                )*
            }
        };
    }
    sites!(0 1 2 3 4 5 6 7)
}

/// Hookrail's dispatch of a chain of `callbacks` callbacks that count.
pub(crate) fn dispatch(rounds: u64, point: &HookPoint<WorkDone>, callbacks: usize) -> Duration {
    timed!(rounds, callbacks, |work| assert!(point.dispatch(work).decision() == Decision::Passed))
}

/// Runs a loop on several threads at once; returns the mean of their times.
pub(crate) fn on_threads(threads: u32, rounds: u64, run: impl Fn(u64) -> Duration + Sync) -> Duration {
    let ready = Barrier::new(threads as usize);
    let one = || {
        // What a thread does only at first: it claims its record, and fills its caches.
        run(1000);
        ready.wait();
        run(rounds)
    };
    thread::scope(|scope| {
        let threads_running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads_running.into_iter().map(|thread| thread.join().expect("the loop holds")).sum::<Duration>() / threads
    })
}

/// The given quantiles of the time of one round, timed one by one; they include the clock's own 20 to 40 ns.
pub(crate) fn quantiles<const N: usize>(rounds: u64, of: [f64; N], once: impl Fn(u64) -> Duration) -> [f64; N] {
    let mut samples: Vec<_> = (0..rounds).map(|_| once(1)).collect();
    samples.sort_unstable();
    of.map(|quantile| samples[(quantile * (samples.len() - 1) as f64) as usize].as_nanos() as f64)
}
