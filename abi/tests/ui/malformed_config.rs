//! `config` where it cannot be.

use hookrail_abi::prelude::*;

#[config(strict)]
struct Config {
    mark: String,
}

#[config]
fn read() {}

fn main() {}
