//! As `holds_memory`, to be loaded beside it.
use hookrail_abi::export;

export!(hookrail_tests::Holds, name = "holds-memory-too", allocator = std::alloc::System);
