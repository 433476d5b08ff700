//! Opening, binding and closing a plugin's library, and the proof that it is gone.
//!
//! Owns one mapped library ([`Library`]): its checks behind the opening, what threads would still run of it when it has
//! ended (its residue), what it tells of itself ([`Speaker`]), what it counts of its memory ([`Meter`]),
//! closing it only when nobody can run its code any more, and asking the system whether it is gone.
//!
//! Must know nothing of why a library comes or goes: upgrades and policy are the engine's, and an instance is a name. Stands on
//! dispatch, whose readers it waits for, and on image.

mod diagnostics;
mod library;
mod mapped;
mod memory;
mod residue;
mod symbols;

pub use diagnostics::Speaker;
pub use library::{Closed, Library, Table};
pub use memory::Meter;
pub use residue::attend;
