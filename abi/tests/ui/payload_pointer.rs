//! A pointer, which says nothing of whose memory it is.

use hookrail_abi::Payload;

#[repr(C)]
#[derive(Payload)]
struct Job {
    id: u64,
    name: *const u8,
}

fn main() {}
