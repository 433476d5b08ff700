//! A callback that captures something, which would have to live somewhere.

use std::marker::PhantomData;

use hookrail_abi::prelude::*;
use hookrail_abi::{Hook, Priority};

struct Mine;

const HOOK: Hook<Mine> = {
    let length = 7;
    Hook::new(PhantomData::<MessagePublish>, "cut", Priority::new(10), move |_, message: &mut Message| {
        message.body.truncate(length)
    })
};

fn main() {
    let _ = HOOK;
}
