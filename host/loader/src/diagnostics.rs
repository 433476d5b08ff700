//! What plugins tell of themselves by `tracing` and `log`, and how they panic: taken to the host's
//! subscriber, with the instance and the generation on it.
//!
//! A plugin has statics of its own for its receivers. Those that the SDK puts there hand everything to
//! the host ([`service`]). What the host's subscriber is given is the host's: callsites are copied and
//! never freed, one per distinct place ([`site`]), and spans are the host's spans ([`span`]). So
//! nothing of it points into a plugin, and all of it outlives an unloading.

mod panic;
mod record;
mod service;
mod site;
mod span;
mod speaker;

pub(crate) use span::attend;
pub use speaker::PluginDiagnostics;
