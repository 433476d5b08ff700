//! What plugins report about themselves by `tracing` and `log`, and their panics: passed to the host's subscriber,
//! tagged with the instance and the generation.
//!
//! A plugin has its own statics for its receivers. The receivers that the SDK installs pass everything to the host
//! ([`service`]). What the host's subscriber receives belongs to the host: callsites are copied and never freed, one
//! per distinct place ([`site`]), and spans are the host's own spans ([`span`]). So none of it points into a plugin,
//! and all of it outlives an unload.

mod of_plugin;
mod panic;
mod record;
mod secrets;
mod service;
mod site;
mod span;

pub use of_plugin::PluginDiagnostics;
pub(crate) use span::attend;
