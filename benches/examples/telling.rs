//! A plugin that logs each step, or does not.
hookrail_abi::export!(hookrail_benches::Telling, name = "telling");
