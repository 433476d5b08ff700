//! What is exported is no plugin.

use hookrail_abi::prelude::*;

struct Mine;

export!(Mine);

fn main() {}
