//! Opening, binding and closing a plugin's library, and the proof that it is gone.
//!
//! Owns one mapped library ([`Library`]): its checks after the opening, what threads would still run of it when it has
//! ended (its teardown), what it tells of itself ([`PluginDiagnostics`]), what it counts of its memory ([`Meter`]),
//! closing it only when nobody can run its code any more, and asking the system whether it is gone.
//!
//! Must know nothing of why a library comes or goes: upgrades and policy are the engine's, and an instance is a name. Stands on
//! dispatch, whose readers it waits for, and on image.

mod diagnostics;
mod library;
mod mapped;
mod memory;
mod symbols;
mod thread_teardown;

pub use diagnostics::PluginDiagnostics;
pub use library::{Closed, Library, Table};
pub use memory::Meter;
pub use thread_teardown::attend;
