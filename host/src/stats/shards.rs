//! Counters that each thread has for itself: written by plain stores, summed by whoever asks.
//!
//! A shared counter costs 4 to 18 ns per step, with another thread beside it; one of the thread's
//! own costs a load, an addition and a store.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// How many threads the first block is for; each one behind it is for twice as many.
const FIRST: usize = 64;

/// Enough for four million threads at once.
const BLOCKS: usize = 16;

/// Counts by one thread: no other may write the counter.
#[inline(always)]
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    // Relaxed: a count, with one writer.
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// Where a thread's shards are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    block: usize,
    offset: usize,
}

impl Place {
    /// That of the thread with that number.
    pub(crate) fn of(number: usize) -> Self {
        let block = (number / FIRST + 1).ilog2() as usize;
        Place { block, offset: number - FIRST * ((1 << block) - 1) }
    }
}

/// A `T` for each thread that counts here, made when it first does.
///
/// # Invariants
/// Block `b` is null, or came from a boxed slice of `FIRST << b` of them.
#[derive(Debug)]
pub(crate) struct Shards<T> {
    blocks: [AtomicPtr<T>; BLOCKS],
}

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Shards { blocks: std::array::from_fn(|_| AtomicPtr::new(null_mut())) }
    }
}

impl<T: Default> Shards<T> {
    /// The calling thread's own.
    #[inline(always)]
    pub(crate) fn own(&self, place: Place) -> &T {
        // Acquire: pairs with the Release in `append`.
        let block = self.blocks[place.block].load(Ordering::Acquire);
        let block = if block.is_null() { self.append(place.block) } else { block };
        // SAFETY: by the type invariant; `Place::of` keeps the offset below the length.
        unsafe { &*block.add(place.offset) }
    }

    /// Those of all threads, of those that never counted here too.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        let blocks = self.blocks.iter().enumerate().filter_map(|(index, block)| {
            // Acquire: pairs with the Release in `append`.
            let block = block.load(Ordering::Acquire);
            // SAFETY: by the type invariant.
            (!block.is_null()).then(|| unsafe { std::slice::from_raw_parts(block, FIRST << index) })
        });
        blocks.flatten()
    }

    #[cold]
    #[inline(never)]
    fn append(&self, index: usize) -> *mut T {
        let made: Box<[T]> = (0..FIRST << index).map(|_| T::default()).collect();
        let made = Box::into_raw(made);
        // INVARIANT: it came from a boxed slice of that length.
        // Release: pairs with the Acquire of whoever looks. Acquire: another thread may have been first.
        match self.blocks[index].compare_exchange(null_mut(), made.cast(), Ordering::Release, Ordering::Acquire) {
            Ok(_) => made.cast(),
            Err(other) => {
                // SAFETY: it came from `into_raw` above, and nobody else knows it.
                drop(unsafe { Box::from_raw(made) });
                other
            }
        }
    }
}

impl<T> Drop for Shards<T> {
    fn drop(&mut self) {
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let block = *block.get_mut();
            if !block.is_null() {
                let shards = std::ptr::slice_from_raw_parts_mut(block, FIRST << index);
                // SAFETY: by the type invariant it came from a boxed slice of that length.
                drop(unsafe { Box::from_raw(shards) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_place_of_its_own() {
        let places: Vec<_> = (0..10_000).map(Place::of).collect();
        for pair in places.windows(2) {
            let next = Place { block: pair[0].block, offset: pair[0].offset + 1 };
            let fits = next.offset < FIRST << next.block;
            assert_eq!(pair[1], if fits { next } else { Place { block: next.block + 1, offset: 0 } });
        }
        assert!(Place::of(4_000_000).block < BLOCKS);
    }

    #[test]
    fn what_all_threads_counted_is_there() {
        let shards = Shards::<AtomicU64>::default();
        for number in [0, 63, 64, 191, 192, 5000] {
            add(shards.own(Place::of(number)), 2);
        }
        assert_eq!(shards.all().map(|count| count.load(Ordering::Relaxed)).sum::<u64>(), 12);
        assert!(std::ptr::eq(shards.own(Place::of(64)), shards.own(Place::of(64))));
    }
}
