//! Knows the payload of `zoo.job` under another name.

#![expect(non_local_definitions)] // abi_stable's derive writes them.

use abi_stable::StableAbi;
use hookrail_abi::prelude::*;
use hookrail_abi::{Payload, Text, points};

#[repr(u8)]
#[derive(StableAbi, Clone, Debug)]
#[sabi(kind(WithNonExhaustive(size = 32, traits(Clone, Debug), assert_nonexhaustive = Kind)))]
pub enum Kind {
    Slow,
    Quick,
}

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix))]
pub struct Table {
    #[sabi(last_prefix_field)]
    pub rank: u32,
}

#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct Task {
    pub id: u64,
    pub urgency: u32,
    pub name: Text,
    pub kind: Kind_NE,
    pub table: Table_Ref,
}

// SAFETY: nobody but the test makes such a payload, and it outlives no library.
unsafe impl Payload for Task {}

points! {
    // SAFETY: nobody but the test makes such a payload, and it outlives no library.
    pub unsafe local JobStarted: "zoo.job", 1, Fold<Task> {}
}

struct Specimen;

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![JobStarted, "look" => |_, job| job.id += 1, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "payload-renamed");
