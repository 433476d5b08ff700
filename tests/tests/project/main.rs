//! What this repository says of itself: its rules, its shape, its documents and examples,
//! and the traits of its public types.

mod circles;
mod entry_points;
mod examples;
mod fuzz_bodies;
mod growth;
mod guides;
mod licences;
mod readme;
mod seeds;
mod tidy;
mod traits;
mod workspace;
