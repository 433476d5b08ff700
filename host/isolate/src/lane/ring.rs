//! The words of a lane's ring: how far it is written and read, and whether the reader looks at it by itself.
//!
//! Positions count bytes from the beginning of time, modulo 2^32, of which the size of the ring is a divisor. The host
//! writes `written`, the worker `read`; what lies between them is the reader's, the rest is the writer's.
//!
//! # Theorem
//! Let the reader, before it sleeps for long, take back that it is watching, then issue the heavy fence, then find the
//! ring empty; and each time that it has parked, find it empty again. Let the writer publish a record, then issue the
//! light fence, then unpark the reader unless it is watching. Then no record stays in the ring of a reader that sleeps.
//!
//! *Proof.* The two fences pair: either the reader sees the record when it looks after its fence, or the writer finds
//! that it is not watching. Then the writer takes `PARKED` out of the turn (`turn.rs`). If the reader parks after that,
//! the parking reads what the writer wrote to that same word, so it sees the record when it looks once more; and if it
//! had parked before, it is woken, or does not fall asleep.
//!
//! While the reader watches, it looks again within a bounded time: a stream of notes costs its writer no system call.
//! And the writer's fence costs nothing, since the kernel issues it for the reader (`sync.rs`), who needs it once for
//! each time that notes have ceased to come.

use super::sync::{AtomicU32, Ordering, heavy_fence, light_fence};

/// A word alone on two cache lines, since processors fetch them in pairs.
#[repr(C, align(128))]
#[derive(Debug, Default)]
struct Line(AtomicU32);

/// The words. Zeroed memory is an empty ring that nobody watches.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct RingWords {
    written: Line,
    read: Line,
    watched: Line,
}

impl RingWords {
    /// Publishes everything that was written before this position. Returns whether the reader is to be unparked. Called
    /// by the writer.
    #[inline(always)]
    #[must_use]
    pub(crate) fn publish(&self, written: u32) -> bool {
        // Release: pairs with the Acquire in `written`.
        self.written.0.store(written, Ordering::Release);
        // Pairs with the heavy fence in `stop_watching`.
        light_fence();
        // Relaxed: the fences order it.
        self.watched.0.load(Ordering::Relaxed) == 0
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

    /// From now on the reader looks within a bounded time.
    pub(crate) fn watch(&self) {
        // Relaxed: a writer that misses it unparks in vain.
        self.watched.0.store(1, Ordering::Relaxed);
    }

    /// From now on the reader is to be unparked; it is to look once more. Returns false if it has to go on watching,
    /// since the kernel refuses the fence.
    #[must_use]
    pub(crate) fn stop_watching(&self) -> bool {
        // Relaxed: the fences order it.
        self.watched.0.store(0, Ordering::Relaxed);
        // Pairs with the light fence in `publish`.
        let is_fenced = heavy_fence();
        if !is_fenced {
            self.watch();
        }
        is_fenced
    }
}
