//! What a library counts of its memory, where the host can read it.

use std::sync::atomic::AtomicU64;

/// A plugin's table `memory/1`: what it has allocated and freed, counted by itself.
///
/// The host reads the shards and adds them up, at any time while the library is loaded, and calls
/// nothing: so it learns of memory also when the plugin hangs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemoryTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// How many shards there are.
    pub count: u32,
    /// The first of them; all stay where they are while the library is loaded.
    pub shards: *const MemoryShard,
}

// SAFETY: the table does not change, and the shards are atomics.
unsafe impl Sync for MemoryTable {}

/// A part of the counts, for instance that of one thread; only sums over all shards mean anything,
/// since what one thread allocates another may free. Counts only grow, and each is written as a whole.
#[repr(C)]
#[derive(Debug, Default)]
pub struct MemoryShard {
    /// Bytes that were allocated, as they were asked for.
    pub allocated: AtomicU64,
    /// Bytes that were freed.
    pub freed: AtomicU64,
    /// Blocks that were allocated.
    pub allocations: AtomicU64,
    /// Blocks that were freed.
    pub frees: AtomicU64,
    /// The plugin's own; the host does not read them. They fill a cache line.
    pub own: [AtomicU64; 4],
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn layouts_are_those_of_their_first_version() {
        assert_eq!(
            [offset_of!(MemoryTable, size), offset_of!(MemoryTable, count), offset_of!(MemoryTable, shards)],
            [0, 4, 8]
        );
        assert_eq!(
            [
                offset_of!(MemoryShard, allocated),
                offset_of!(MemoryShard, freed),
                offset_of!(MemoryShard, allocations),
                offset_of!(MemoryShard, frees),
                offset_of!(MemoryShard, own),
            ],
            [0, 8, 16, 24, 32]
        );
        assert_eq!([size_of::<MemoryTable>(), size_of::<MemoryShard>()], [16, 64]);
    }
}
