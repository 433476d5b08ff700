//! Allocates, and counts that.
hookrail_abi::export!(hookrail_benches::Allocating, name = "allocating", allocator = std::alloc::System);
