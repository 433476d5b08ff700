//! The zoo: deliberately bad plugins, one per way to misbehave.
//!
//! Those in `examples/` are Rust, each a library of its own; those in `c/` are C, for what the Rust
//! SDK does not let anybody write. `hookrail_tests::zoo` and `tests/src/specimens.rs` build
//! them. Here is what several of them use.

#[path = "../../src/blocks.rs"]
pub mod blocks;
mod holds;
mod idle;
#[path = "../../src/soak/ledger.rs"]
mod ledger;
#[path = "../../src/parcels.rs"]
pub mod parcels;
pub mod pipe;
pub mod soak;
#[path = "../../src/tasks.rs"]
pub mod tasks;

pub use holds::Holds;
pub use idle::Idle;
pub use ledger::STAMP;
