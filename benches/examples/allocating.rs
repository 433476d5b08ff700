//! Allocates, and nobody counts.
hookrail_abi::export!(hookrail_benches::Allocating, name = "allocating");
