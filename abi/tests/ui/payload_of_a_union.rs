//! Types that cannot be payloads.

use hookrail_abi::Payload;

#[repr(C)]
#[derive(Payload)]
union Either {
    number: u64,
    share: f64,
}

#[repr(C)]
#[derive(Payload)]
struct Pair<T> {
    first: T,
    second: T,
}

#[repr(C, packed)]
#[derive(Payload)]
struct Packed {
    first: u8,
    second: u64,
}

fn main() {}
