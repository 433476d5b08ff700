//! What a program would use instead, with the same callbacks: each at its best, a vector of 16-byte pairs, if its kind
//! allows that.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::from_mut;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_epoch::{self as epoch, Atomic};
use hookrail_abi::boundary::RawCallback;
use hookrail_benches::Work;
use parking_lot::RwLock;

use super::hosts::{Aligned, run_raw};
use super::loops::timed;

/// The only peer that does not allow changes at run time.
pub(crate) const FIXED: &str = "Vec<Box<dyn Fn>>";

/// A peer's name, and its loop.
pub(crate) type Peer = (&'static str, Box<dyn Fn(u64) -> Duration>);

type Boxed = Box<dyn Fn(&mut Work) -> bool>;

/// One peer's loop: what it does per dispatch, and whether every callback continued.
macro_rules! peer {
    ($callbacks:expr, |$work:ident| $passes:expr) => {
        Box::new(move |rounds| timed!(rounds, $callbacks, |$work| assert!($passes)))
    };
}

/// All peers.
///
/// # Safety
/// The host that registered the pairs is kept as long as the peers.
pub(crate) unsafe fn all(pairs: &Aligned) -> Vec<Peer> {
    let passes = |pairs: &[(RawCallback, *mut c_void)], work: &mut Work| {
        // SAFETY: the caller keeps the host, and the payload is that of its point.
        unsafe { run_raw(pairs, from_mut(work).cast()) == 0 }
    };
    let len = pairs.len();
    let boxed: Vec<Boxed> = pairs
        .iter()
        .map(|pair| [*pair])
        .map(|pair| Box::new(move |work: &mut Work| passes(&pair, work)) as _)
        .collect();
    let swap = ArcSwap::from_pointee(pairs.to_vec());
    let epoch = Atomic::new(pairs.to_vec());
    let locked = RwLock::new(pairs.to_vec());
    // The libraries register their callbacks at 10 and up, eight to a priority.
    let by_priority: BTreeMap<i32, _> = (10..).zip(pairs.chunks(8).map(<[_]>::to_vec)).collect();
    let by_priority = RwLock::new(by_priority);
    vec![
        (FIXED, peer!(len, |work| boxed.iter().all(|run| run(work)))),
        ("ArcSwap<Vec<_>>", peer!(len, |work| passes(&swap.load(), work))),
        (
            "crossbeam-epoch",
            peer!(len, |work| {
                let guard = epoch::pin();
                // SAFETY: it is never replaced, so it lives as long as `epoch`.
                passes(unsafe { epoch.load(Ordering::Acquire, &guard).deref() }, work)
            }),
        ),
        ("parking_lot::RwLock<Vec<_>>", peer!(len, |work| passes(&locked.read(), work))),
        (
            "parking_lot::RwLock<BTreeMap<Priority, Vec<_>>>",
            peer!(len, |work| by_priority.read().values().all(|pairs| passes(pairs, work))),
        ),
    ]
}
