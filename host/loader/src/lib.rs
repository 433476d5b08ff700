//! Opening, binding and closing a plugin's library, and the proof that it is unmapped.
//!
//! Owns one mapped library ([`Library`]): the checks after opening it, what threads would still run of it after it has
//! ended (its teardown), what it reports about itself ([`PluginDiagnostics`]), the counts of its memory ([`Meter`]),
//! closing it only when no thread can run its code any more, and verifying that it is unmapped.
//!
//! Must know nothing of why a library comes or goes: upgrades and policy belong to the engine, and an instance is only
//! a name. Stands on dispatch, whose readers it waits for, and on image.

pub mod descriptors;
mod diagnostics;
mod library;
mod mapped;
mod memory;
mod numbers;
mod stray;
mod symbols;
mod thread_teardown;

pub use diagnostics::PluginDiagnostics;
pub use library::{Closed, Functions, Incomplete, Library, Table, complete};
pub use memory::Meter;
pub use numbers::Numbers;
pub use symbols::names_in;
pub use thread_teardown::attend;
