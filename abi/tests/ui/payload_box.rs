//! A box on an allocator that other libraries do not have.

use hookrail_abi::Payload;

#[repr(C)]
#[derive(Payload)]
struct Job {
    id: u64,
    name: Box<u32>,
}

fn main() {}
