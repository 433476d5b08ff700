//! Inputs that end their worker: one that does so twice in a row is not tried a third time.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::flat::Codec;

/// How many inputs are remembered.
const MOST: usize = 64;

/// What is known of a callback's inputs.
#[derive(Default)]
pub(super) struct Poison {
    /// Whether any is skipped: what dispatches look at first.
    is_any: AtomicBool,
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The digest of the one that ended the worker last.
    last: Option<u64>,
    skipped: VecDeque<u64>,
}

impl Poison {
    /// Whether any payload is skipped.
    #[inline]
    pub(super) fn is_any(&self) -> bool {
        // Relaxed: a call that comes at the same time may be either before or after.
        self.is_any.load(Ordering::Relaxed)
    }

    /// Whether the payload is skipped.
    ///
    /// # Safety
    /// `payload` is one of the codec.
    #[inline]
    pub(super) unsafe fn is_known(&self, codec: &Codec, payload: *const c_void) -> bool {
        if !self.is_any() {
            return false;
        }
        // SAFETY: the payload is one of the codec.
        let digest = unsafe { self.digest(codec, payload) };
        self.known.lock().skipped.contains(&digest)
    }

    /// The worker has ended in a call with that payload.
    ///
    /// # Safety
    /// `payload` is one of the codec.
    pub(super) unsafe fn killed(&self, codec: &Codec, payload: *const c_void) {
        // SAFETY: the payload is one of the codec.
        let digest = unsafe { self.digest(codec, payload) };
        let mut known = self.known.lock();
        if known.last.replace(digest) == Some(digest) {
            if known.skipped.len() == MOST {
                known.skipped.pop_front();
            }
            known.skipped.push_back(digest);
            self.is_any.store(true, Ordering::Relaxed);
        }
    }

    /// # Safety
    /// `payload` is one of the codec.
    unsafe fn digest(&self, codec: &Codec, payload: *const c_void) -> u64 {
        // SAFETY: the payload is one of the codec.
        self.hasher.hash_one(unsafe { crate::payload::substance(codec, payload) })
    }
}
