//! A library's memory counters, which the host can read.

use std::sync::atomic::AtomicU64;

/// A plugin's table `memory/1`: what the plugin has allocated and freed, counted by the plugin itself.
///
/// The host reads the shards and adds them up, at any time while the library is loaded. It calls no function of the
/// plugin, so it can read the memory of a plugin that hangs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MemoryTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The number of shards.
    pub count: u32,
    /// The first shard. Shards do not move while the library is loaded.
    pub shards: *const MemoryShard,
}

// SAFETY: the table does not change, and the shards are atomics.
unsafe impl Sync for MemoryTable {}

/// One shard of the counters, for instance that of one thread. Only sums over all shards are meaningful, since one
/// thread may free what another allocated. Counters only grow, and each is written in one store.
#[repr(C)]
#[derive(Debug, Default)]
pub struct MemoryShard {
    /// Bytes allocated, as requested.
    pub allocated: AtomicU64,
    /// Bytes freed.
    pub freed: AtomicU64,
    /// Blocks allocated.
    pub allocations: AtomicU64,
    /// Blocks freed.
    pub frees: AtomicU64,
    /// For the plugin's own use; the host does not read them. They fill the cache line.
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
