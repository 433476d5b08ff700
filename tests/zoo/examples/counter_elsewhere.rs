//! A build of the plugin `counter` that hooks a point which no host has.

use hookrail_abi::points;
use hookrail_abi::prelude::*;

points! {
    // SAFETY: a message points into no library.
    pub unsafe Nowhere: "zoo.nowhere", 1, Fold<Message> {}
}

export!(hookrail_tests::Idle<Nowhere>, name = "counter");
