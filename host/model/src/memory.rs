//! How much memory a plugin holds.

use serde::{Deserialize, Serialize};

/// Memory that a plugin's Rust allocator has allocated and not freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Memory {
    /// The number of bytes, as requested.
    pub bytes: u64,
    /// The number of blocks.
    pub allocations: u64,
}

/// The memory of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryView {
    /// What it holds now.
    #[serde(flatten)]
    pub held: Memory,
    /// The number of blocks it has ever allocated.
    pub total_allocations: u64,
    /// Its limit in bytes, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_bytes: Option<u64>,
    /// Whether it exceeds the limit.
    pub over: bool,
}

impl Memory {
    /// That many bytes in that many blocks.
    pub const fn new(bytes: u64, allocations: u64) -> Self {
        Memory { bytes, allocations }
    }
}

impl MemoryView {
    /// What a plugin holds, what it has ever allocated, and its limit.
    pub fn new(held: Memory, total_allocations: u64, max_bytes: Option<u64>) -> Self {
        MemoryView { held, total_allocations, max_bytes, over: max_bytes.is_some_and(|max| held.bytes > max) }
    }
}
