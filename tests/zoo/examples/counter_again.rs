//! The plugin `counter` under another name.

mod counter;

hookrail_abi::export!(counter::Counter<1>, name = "counter-again");
