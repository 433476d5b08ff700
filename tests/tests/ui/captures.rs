//! A callback that captures something: it would have to live somewhere.

use hookrail_abi::prelude::*;
use hookrail_abi::{Effects, Hook, Priority};

struct Mine;

fn hook(number: usize) -> Hook<Mine> {
    Hook::new::<MessagePublish, _, _>("edit", Priority::new(10), Effects::Pure, move |_: &Mine, message: &mut Message| {
        message.body.truncate(number);
    })
}

fn main() {
    hook(7);
}
