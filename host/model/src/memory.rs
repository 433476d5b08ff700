//! How much memory a plugin holds.

use serde::{Deserialize, Serialize};

/// Memory that was allocated by a plugin's Rust allocator and is not freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// How many bytes, as they were asked for.
    pub bytes: u64,
    /// In how many blocks.
    pub allocations: u64,
}

/// The memory of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryView {
    /// What it holds now.
    #[serde(flatten)]
    pub held: Memory,
    /// How many blocks it has ever allocated.
    pub total_allocations: u64,
    /// How many bytes it may hold, if that is limited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_bytes: Option<u64>,
    /// Whether it holds more.
    pub over: bool,
}
