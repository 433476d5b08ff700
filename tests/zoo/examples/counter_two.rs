//! The second build of the plugin `counter`: takes over the state of the first, which does not take
//! over its.

mod counter;

hookrail_abi::export!(@identity counter::Counter<2>,
    hookrail_abi::note::Identity { name: "counter", version: "2.0.0" });
