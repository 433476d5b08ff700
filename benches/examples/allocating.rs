//! A plugin that allocates without counting it.
hookrail_abi::export!(hookrail_benches::Allocating, name = "allocating");
