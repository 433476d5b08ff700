//! A list with a pointer to the functions of the library that made it.

use hookrail_abi::Payload;

#[repr(C)]
#[derive(Payload)]
struct Job {
    id: u64,
    name: abi_stable::std_types::RVec<u8>,
}

fn main() {}
