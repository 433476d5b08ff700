//! How much memory plugins hold, as counted by plugins that are built to do so: `export!(.., allocator = ..)`.
//!
//! The counters are in the library (table `memory/1`), one shard per thread, and are added up by the thread that reads
//! them. That runs no code of the plugin.

use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::boundary::{MemoryShard, MemoryTable};
use hookrail_model::memory::{Memory, MemoryView};
use parking_lot::Mutex;

/// Reads the counters of one library.
pub struct Meter {
    max: Option<u64>,
    counts: Mutex<Counts>,
}

/// # Invariants
/// The shards of `Counting` are in a library that is loaded.
enum Counts {
    Counting(*const [MemoryShard]),
    /// What was counted last.
    Told(Sums),
}

// SAFETY: the shards are atomics.
unsafe impl Send for Counts {}

/// The sums over all shards.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    held: Memory,
    total_allocations: u64,
}

impl Meter {
    /// A meter of a library, with its limit in bytes.
    ///
    /// # Safety
    /// The table is one of a loaded library, in which its `count` shards lie. [`end`](Self::end) is called before that
    /// library is closed.
    pub(crate) unsafe fn new(table: &MemoryTable, max: Option<u64>) -> Option<Self> {
        let has_shards = !table.shards.is_null();
        let shards = std::ptr::slice_from_raw_parts(table.shards, table.count as usize);
        // INVARIANT: the shards are in the library, which is loaded until `end`, by the contract.
        has_shards.then(|| Meter { max, counts: Mutex::new(Counts::Counting(shards)) })
    }

    /// A meter of a library in another process, which tells its counts.
    pub fn elsewhere(max: Option<u64>) -> Self {
        Meter { max, counts: Mutex::new(Counts::Told(Sums::default())) }
    }

    /// Takes the counts that another process tells.
    pub fn tell(&self, held: Memory, total_allocations: u64) {
        *self.counts.lock() = Counts::Told(Sums { held, total_allocations });
    }

    /// The plugin's limit in bytes, if there is one.
    pub fn max(&self) -> Option<u64> {
        self.max
    }

    /// The memory that it holds now, or what it held when the meter was ended.
    pub fn held(&self) -> Memory {
        self.counts.lock().sums().held
    }

    /// The memory with the limit, for display.
    pub fn view(&self) -> MemoryView {
        let Sums { held, total_allocations } = self.counts.lock().sums();
        MemoryView::new(held, total_allocations, self.max)
    }

    /// Reads the counters for the last time; returns the memory that it holds.
    pub(crate) fn end(&self) -> Memory {
        let mut counts = self.counts.lock();
        let sums = counts.sums();
        *counts = Counts::Told(sums);
        sums.held
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.view().fmt(f)
    }
}

impl Counts {
    fn sums(&self) -> Sums {
        match *self {
            // SAFETY: by the type invariant the shards lie in a library that is loaded.
            Counts::Counting(shards) => Sums::of(unsafe { &*shards }),
            Counts::Told(sums) => sums,
        }
    }
}

impl Sums {
    fn of(shards: &[MemoryShard]) -> Self {
        let sum = |of: fn(&MemoryShard) -> &AtomicU64| {
            // Relaxed: counters. Wrapping: a plugin may have written anything.
            shards.iter().fold(0u64, |sum, shard| sum.wrapping_add(of(shard).load(Ordering::Relaxed)))
        };
        // Read first, since what was freed had been allocated before. The order may still be observed the other way
        // round for a block that is passed between threads meanwhile.
        let [freed, frees] = [sum(|shard| &shard.freed), sum(|shard| &shard.frees)];
        let [allocated, allocations] = [sum(|shard| &shard.allocated), sum(|shard| &shard.allocations)];
        let held = Memory::new(allocated.saturating_sub(freed), allocations.saturating_sub(frees));
        Sums { held, total_allocations: allocations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(counts: [u64; 4]) -> MemoryShard {
        let [allocated, freed, allocations, frees] = counts.map(AtomicU64::new);
        MemoryShard { allocated, freed, allocations, frees, ..MemoryShard::default() }
    }

    #[test]
    fn memory_may_be_freed_by_another_thread() {
        let shards = [shard([100, 0, 3, 0]), shard([0, 70, 0, 2]), MemoryShard::default()];
        let table = MemoryTable { size: 16, count: 3, shards: shards.as_ptr() };
        // SAFETY: the shards are kept as long as the meter.
        let meter = unsafe { Meter::new(&table, Some(29)) }.unwrap();
        let held = Memory::new(30, 1);
        assert_eq!(meter.view(), MemoryView::new(held, 3, Some(29)));
        assert!(meter.view().over);
        assert_eq!(meter.end(), held);
        shards[0].allocated.store(1000, Ordering::Relaxed);
        assert_eq!(meter.held(), held, "nobody looks into a library that may be gone");
    }

    #[test]
    fn a_table_without_shards_has_no_meter() {
        let table = MemoryTable { size: 16, count: 1, shards: std::ptr::null() };
        // SAFETY: no meter is made.
        assert!(unsafe { Meter::new(&table, None) }.is_none());
    }
}
