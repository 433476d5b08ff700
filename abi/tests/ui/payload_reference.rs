//! A reference into the library that made it.

use hookrail_abi::Payload;

#[repr(C)]
#[derive(Payload)]
struct Job {
    id: u64,
    name: &'static str,
}

fn main() {}
