//! The chains of a host: their order, their publication, running them, and waiting for their readers.
//!
//! Owns a chain's callbacks and its published snapshot (`Chain`), which threads are reading it and when unlinked data
//! may be dropped ([`reclaim`]), the points and all-or-none changes of them ([`Registry`]), the counts and traces of
//! dispatches, what a fault means for its chain, callbacks of the embedding program ([`Callbacks`]), and the call frame
//! of each thread ([`frame`]).
//!
//! Must know nothing of files and of how libraries are opened: code is a function pointer, an owner is a number, a
//! library is an address that is only compared. Stands on the model.

mod chain;
mod condvar;
mod context;
mod embed;
mod fault;
pub mod fork;
pub mod frame;
mod hook_point;
pub mod names;
mod pin;
mod probation;
mod queue;
pub mod reclaim;
mod registry;
mod stats;
mod sync;
pub mod view;

pub use chain::{Callback, CallbackId, CallbackState, Ctx, HalfOpen, Outcome, Owner, Terms};
pub use condvar::{Condvar, deadline_after};
pub use context::DispatchContext;
pub use embed::{Callbacks, Registered};
pub use fault::{Breaker, CallbackRef, Found, Signal, Signals};
pub use hook_point::HookPoint;
pub use pin::PinnedChains;
pub use probation::Probation;
pub use queue::{Queue, Wake};
pub use registry::{Addition, Look, PointState, Registry, TakenOut};
pub use stats::{Record, Tracer, Tracers, shown};
