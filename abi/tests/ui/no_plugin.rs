//! What is exported is not a plugin.

use hookrail_abi::prelude::*;

struct Mine;

export!(Mine);

fn main() {}
