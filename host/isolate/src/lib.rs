//! Plugins in processes of their own.
//!
//! Owns the worker process ([`enter`]), what a host and its worker say to each other, the lanes on which the threads of
//! a host call into a worker ([`lane`]), how payloads are written there and read back ([`flat`]), and the bodies by which
//! the engine loads, starts and unloads a plugin in a worker with the same words as in its own process.
//!
//! Must know nothing of why a plugin is isolated, of packages, or of commands. Stands on the engine and on supervise.
//!
//! The host trusts nothing that a worker says or writes. The worker trusts the host, and checks bounds all the same.

mod alike;
pub mod flat;
pub mod lane;
mod last_words;
mod limits;
mod panic;
mod payload;
mod processes;
mod provider;
mod remote;
mod role;
mod run;
mod sealed;
mod units;
mod wire;
mod worker;

pub use processes::{Processes, processes};
pub use run::run;
pub use worker::enter;
