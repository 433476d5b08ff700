//! Structs and enums whose layout the compiler may choose again with each build.

use hookrail_abi::{Payload, Text};

#[derive(Payload)]
struct Job {
    id: u64,
    name: Text,
}

#[derive(Payload)]
enum Urgency {
    Low,
    High,
}

fn main() {}
