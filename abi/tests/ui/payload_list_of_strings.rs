//! A list whose elements are no payloads.

use hookrail_abi::{List, Payload};

#[repr(C)]
#[derive(Payload)]
struct Job {
    id: u64,
    name: List<String>,
}

fn main() {}
