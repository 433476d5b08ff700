//! Where a lane's words and bytes are in the shared memory.

use std::marker::PhantomData;

use super::area::Area;
use super::lost::DEPTHS;
use super::mail::Mail;
use super::queue;
use super::ring::RingWords;
use super::sync::{AtomicU64, Ordering};
use super::turn::Turn;

/// What precedes the first lane.
pub(super) const PAGE: usize = 4096;

/// The control words of a lane. Zeroed memory is a lane that nobody has used.
#[repr(C, align(128))]
pub(super) struct Control {
    /// Alone on its cache line with what is passed along.
    pub(super) turn: Turn,
    pub(super) mail: Mail,
    /// What is running in the worker, by depth.
    pub(super) progress: Progress,
    pub(super) ring: RingWords,
    pub(super) taken: Taken,
}

const _: () = assert!(std::mem::offset_of!(Control, mail) == 8 && size_of::<Mail>() == 56);
const _: () = assert!(size_of::<Control>() <= PAGE && size_of::<Turn>() == 4);

/// Which callback of a crossing is running, as the worker says; the host reads it when a call is lost.
#[repr(C, align(128))]
#[derive(Debug)]
pub(super) struct Progress([AtomicU64; DEPTHS]);

impl Progress {
    /// Notes that the callback with this index is about to run, in the crossing that was passed with this word. Relaxed:
    /// nothing is read on account of it.
    pub(super) fn note(&self, depth: usize, passed: u32, index: usize) {
        self.0[depth].store(u64::from(passed) << 32 | (index as u64 + 1), Ordering::Relaxed);
    }

    /// The index of the callback, of `count`, that has begun last in that crossing, if one has.
    pub(super) fn of(&self, depth: usize, passed: u32, count: usize) -> Option<usize> {
        let word = self.0[depth].load(Ordering::Relaxed);
        let index = (word as u32 as usize).checked_sub(1)?;
        ((word >> 32) as u32 == passed && index < count).then_some(index)
    }
}

/// How many notifications the worker has come to the end of, as it says: the host reads it when it is dead.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub(super) struct Taken(AtomicU64);

impl Taken {
    /// One more. Called by the worker alone. Relaxed: nothing is read on account of it while the worker lives.
    pub(super) fn add(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The three parts of a lane's memory.
///
/// # Invariants
/// As long as `'a` there is a page at `start` that begins with zeroed or used control words, `data` bytes behind it,
/// and the ring behind them, all of them mapped, readable and writable; only atomics of the page and pointers lead there.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    start: *mut u8,
    data: usize,
    mapped: PhantomData<&'a ()>,
}

impl<'a> Memory<'a> {
    /// How many bytes a lane takes.
    pub(super) fn size(data: usize) -> usize {
        PAGE + data + queue::SIZE
    }

    /// # Safety
    /// There is a lane of [`size`](Memory::size)`(data)` bytes at `start`, which is aligned to a page and was zeroed
    /// when it was new, as long as `'a`; only lanes lead there.
    pub(super) unsafe fn new(start: *mut u8, data: usize) -> Self {
        // INVARIANT: the caller promises it.
        Memory { start, data, mapped: PhantomData }
    }

    /// The control words.
    #[inline(always)]
    pub(super) fn control(self) -> &'a Control {
        // SAFETY: by the type invariants they are there, and they are atomics: any bytes are a value, and other
        // processes may write them.
        unsafe { &*self.start.cast() }
    }

    /// The area for payloads.
    #[inline(always)]
    pub(super) fn data(self) -> Area<'a> {
        // SAFETY: by the type invariants it lies behind the page.
        unsafe { Area::new(self.start.add(PAGE), self.data) }
    }

    /// The bytes of the ring.
    pub(super) fn ring(self) -> Area<'a> {
        // SAFETY: by the type invariants it lies behind the area for payloads.
        unsafe { Area::new(self.start.add(PAGE + self.data), queue::SIZE) }
    }
}
