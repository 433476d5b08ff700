//! The words of a lane's ring: how far it is written and read, and whether the reader sleeps.
//!
//! Positions count bytes from the beginning of time, modulo 2^32, of which the size of the ring is a divisor. The host
//! writes `written`, the worker `read`; what lies between them is the reader's, the rest is the writer's.
//!
//! # Theorem
//! Let the reader announce that it sleeps, then find the ring empty, then sleep until it is woken; and let the writer
//! publish a record, then wake the reader if it is announced asleep. Then no record stays in the ring of a reader that
//! sleeps.
//!
//! *Proof.* The writer publishes, passes a sequentially consistent fence, and then looks whether the reader sleeps; the
//! reader announces, passes such a fence, and then looks whether the ring is empty. Of the two fences one comes first:
//! either the reader sees the record, or the writer sees the announcement. In the latter case it takes `PARKED` out of
//! the turn, which the reader put there before it announced anything: so the kernel does not let it fall asleep, or it
//! is woken (`turn.rs`).
//!
//! A reader that looks again within a bounded time anyway need not announce anything: then a stream of notes costs its
//! writer no system call.

use super::sync::{AtomicU32, Ordering, fence};

/// A word alone on two cache lines, since processors fetch them in pairs.
#[repr(C, align(128))]
#[derive(Debug, Default)]
struct Line(AtomicU32);

/// The words. Zeroed memory is an empty ring with a reader that is awake.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct RingWords {
    written: Line,
    read: Line,
    asleep: Line,
}

impl RingWords {
    /// Publishes everything that was written before this position. Returns whether the reader is to be woken. Called by
    /// the writer.
    #[inline(always)]
    #[must_use]
    pub(crate) fn publish(&self, written: u32) -> bool {
        // Release: pairs with the Acquire in `written`.
        self.written.0.store(written, Ordering::Release);
        // SeqCst: pairs with the fence in `announce_sleep`; either the reader sees the record or this sees it asleep.
        fence(Ordering::SeqCst);
        // Acquire: pairs with the Release in `announce_sleep`, so that the waking finds the reader parked.
        if self.asleep.0.load(Ordering::Acquire) == 0 {
            return false;
        }
        self.asleep.0.store(0, Ordering::Relaxed);
        true
    }

    /// How far the ring is written. Called by the reader.
    #[inline(always)]
    pub(crate) fn written(&self) -> u32 {
        // Acquire: pairs with the Release in `publish`.
        self.written.0.load(Ordering::Acquire)
    }

    /// Gives everything before this position back to the writer. Called by the reader.
    pub(crate) fn release(&self, read: u32) {
        // Release: pairs with the Acquire in `read`.
        self.read.0.store(read, Ordering::Release);
    }

    /// How far the ring is read. Called by the writer.
    pub(crate) fn read(&self) -> u32 {
        // Acquire: pairs with the Release in `release`.
        self.read.0.load(Ordering::Acquire)
    }

    /// Announces that the reader, which has parked, is about to sleep: then it is to look at the ring once more.
    pub(crate) fn announce_sleep(&self) {
        // Release: pairs with the Acquire in `publish`.
        self.asleep.0.store(1, Ordering::Release);
        // SeqCst: pairs with the fence in `publish`.
        fence(Ordering::SeqCst);
    }

    /// The reader is awake.
    pub(crate) fn announce_awake(&self) {
        // Relaxed: a writer that misses it wakes once in vain.
        self.asleep.0.store(0, Ordering::Relaxed);
    }
}
