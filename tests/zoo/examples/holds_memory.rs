//! Counts its memory, and allocates and frees as the payload says.
use hookrail_abi::export;

export!(hookrail_tests::Holds, name = "holds-memory", allocator = std::alloc::System);
