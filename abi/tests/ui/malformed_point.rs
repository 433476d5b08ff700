//! A point whose payload is not said to be one.

use hookrail_abi::points;

points! {
    pub unsafe Knocked: "door.knocked", 1, u64;
}

fn main() {}
