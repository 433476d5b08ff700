//! A build of the plugin `counter` that knows another payload of `message.publish`.

use hookrail_abi::prelude::*;
use hookrail_abi::{Payload, points};

#[repr(C)]
#[derive(Payload, Clone)]
pub struct Letter {
    pub topic: Text,
}

points! {
    // SAFETY: a text points into no library.
    pub unsafe local Publish: "message.publish", 1, Fold<Letter> {}
}

export!(hookrail_tests::Idle<Publish>, name = "counter");
