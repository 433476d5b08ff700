//! The first build of the plugin `counter`.

mod counter;

hookrail_abi::export!(@identity counter::Counter<1>,
    hookrail_abi::note::Identity { name: "counter", version: "1.0.0" });
