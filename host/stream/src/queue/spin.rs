//! Looking for a moment before sleeping: waking a thread takes longer than the others often need.

use std::hint;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// How often others may have the processor meanwhile.
const ROUNDS: usize = 24;
/// How often it is looked at once.
const LOOKS: usize = 64;

/// Looks until it is set, for some tens of microseconds.
pub(super) fn until(is_set: &AtomicBool) {
    for _ in 0..ROUNDS {
        for _ in 0..LOOKS {
            // Relaxed: it is a hint.
            if is_set.load(Ordering::Relaxed) {
                return;
            }
            hint::spin_loop();
        }
        thread::yield_now();
    }
}
