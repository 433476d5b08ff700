//! A plugin that allocates and counts it.
hookrail_abi::export!(hookrail_benches::Allocating, name = "allocating", allocator = std::alloc::System);
