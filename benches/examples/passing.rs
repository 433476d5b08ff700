//! A plugin that lets messages pass.
hookrail_abi::export!(hookrail_benches::Passing, name = "passing");
