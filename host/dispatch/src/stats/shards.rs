//! Counters of which each thread has its own: written by plain stores, and summed when read.
//!
//! A counter shared with another thread costs 4 to 18 ns per step; a thread's own costs a load, an addition and a
//! store.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// How many threads the first block is for; each further block is for twice as many.
const FIRST: usize = 64;

/// Enough for four million threads at once.
const BLOCKS: usize = 16;

/// Adds to a counter of the calling thread, which no other thread may write.
#[inline(always)]
pub(super) fn add(counter: &AtomicU64, more: u64) {
    // Relaxed: a counter with a single writer.
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// The block of the thread with that number, and its position in the block.
fn place(number: usize) -> (usize, usize) {
    let block = (number / FIRST + 1).ilog2() as usize;
    (block, number - FIRST * ((1 << block) - 1))
}

/// A row of `T`s for each thread that counts here.
///
/// # Invariants
/// `width` is not 0. Block `b` is null, or came from a boxed slice of `FIRST << b` rows of that width.
#[derive(Debug)]
pub(crate) struct Shards<T> {
    blocks: [AtomicPtr<T>; BLOCKS],
    width: usize,
}

/// One `T` for each thread, allocated when the thread or one of its neighbours first counts.
impl<T> Default for Shards<T> {
    fn default() -> Self {
        // INVARIANT: no block is allocated.
        Shards { blocks: std::array::from_fn(|_| AtomicPtr::new(null_mut())), width: 1 }
    }
}

impl<T: Default> Shards<T> {
    /// `width` of them for each thread. Those of the first threads are allocated at once, so that these threads never
    /// allocate while they dispatch.
    ///
    /// # Panics
    /// If `width` is 0.
    pub(crate) fn rows(width: usize) -> Self {
        assert!(width > 0);
        // INVARIANT: not 0, and no block is allocated.
        let mut shards = Shards::default();
        shards.width = width;
        shards.append(0);
        shards
    }

    /// The `T` of the calling thread, whose number is `number`; the first of its row.
    #[inline(always)]
    pub(crate) fn own(&self, number: usize) -> &T {
        // SAFETY: `start` begins a row that stays as long as this; by the type invariant it has one `T` at least.
        unsafe { &*self.start(number) }
    }

    /// How many each thread has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The row of the calling thread, whose number is `number`.
    pub(crate) fn row(&self, number: usize) -> &[T] {
        // SAFETY: at `start` begins a row of `width`, which stays as long as this.
        unsafe { std::slice::from_raw_parts(self.start(number), self.width) }
    }

    /// As [`own`](Self::own), for one of the first threads, if their block is allocated.
    #[inline(always)]
    pub(crate) fn nearby(&self, number: usize) -> Option<&T> {
        // Acquire: pairs with the Release in `append`.
        let first = self.blocks[0].load(Ordering::Acquire);
        // SAFETY: by the type invariant the first block has `FIRST` rows of `width`, and stays as long as this.
        (number < FIRST && !first.is_null()).then(|| unsafe { &*first.add(number * self.width) })
    }

    /// The start of the row of the thread with that number.
    #[inline(always)]
    fn start(&self, number: usize) -> *const T {
        self.nearby(number).map_or_else(|| self.find(number), std::ptr::from_ref)
    }

    #[cold]
    #[inline(never)]
    fn find(&self, number: usize) -> *const T {
        let (index, offset) = place(number);
        // Acquire: as in `nearby`.
        let block = self.blocks[index].load(Ordering::Acquire);
        let block = if block.is_null() { self.append(index) } else { block };
        // SAFETY: by the type invariant the block has `FIRST << index` rows, and `place` keeps the offset below that.
        unsafe { block.add(offset * self.width) }
    }

    /// The `T`s of all threads, row by row, including those of threads that never counted here.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        let blocks = self.blocks.iter().enumerate().filter_map(|(index, block)| {
            // Acquire: pairs with the Release in `append`.
            let block = block.load(Ordering::Acquire);
            // SAFETY: by the type invariant the block came from a slice of that length, and stays as long as this.
            (!block.is_null()).then(|| unsafe { std::slice::from_raw_parts(block, self.len(index)) })
        });
        blocks.flatten()
    }

    fn append(&self, index: usize) -> *mut T {
        let made: Box<[T]> = (0..self.len(index)).map(|_| T::default()).collect();
        let made = Box::into_raw(made);
        // INVARIANT: it came from a boxed slice of that length. Release: pairs with the Acquire of readers. Acquire:
        // another thread may have been first.
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

impl<T> Shards<T> {
    /// The length of that block.
    fn len(&self, index: usize) -> usize {
        (FIRST << index) * self.width
    }
}

impl<T> Drop for Shards<T> {
    fn drop(&mut self) {
        for index in 0..BLOCKS {
            let block = *self.blocks[index].get_mut();
            if !block.is_null() {
                let shards = std::ptr::slice_from_raw_parts_mut(block, self.len(index));
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
        let places: Vec<_> = (0..10_000).map(place).collect();
        for pair in places.windows(2) {
            let (block, offset) = (pair[0].0, pair[0].1 + 1);
            assert_eq!(pair[1], if offset < FIRST << block { (block, offset) } else { (block + 1, 0) });
        }
        assert!(place(4_000_000).0 < BLOCKS);
    }

    #[test]
    fn counts_of_all_threads_are_added_up() {
        let shards = Shards::<AtomicU64>::default();
        for number in [0, 63, 64, 191, 192, 5000] {
            add(shards.own(number), 2);
        }
        assert_eq!(shards.all().map(|count| count.load(Ordering::Relaxed)).sum::<u64>(), 12);
        assert!(std::ptr::eq(shards.own(64), shards.own(64)));
    }

    #[test]
    fn rows_lie_apart() {
        let shards = Shards::<AtomicU64>::rows(3);
        for number in [0, 1, 63, 64, 191, 192] {
            assert_eq!(shards.row(number).len(), 3);
            shards.row(number).iter().for_each(|count| add(count, 1));
        }
        let counted: Vec<_> = shards.all().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!(counted.iter().sum::<u64>(), 18, "nobody's row is another's");
        let is_whole = |row: &[u64]| row == [0; 3] || row == [1; 3];
        assert!(counted.chunks(3).all(is_whole) && counted.iter().all(|count| *count < 2));
    }
}
