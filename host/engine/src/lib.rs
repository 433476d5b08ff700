//! The life of plugins in a host: what is loaded, admitted, upgraded, rolled back, configured, watched and unloaded.
//!
//! Owns the [`Host`] and all that is known of each plugin, in one table; its [`Config`]; what may enter a chain; the
//! watchdog, which acts on what dispatches find out; events; and the services that plugins are given, to which crates
//! above add their own by [`Services::register`].
//!
//! Must know nothing of what those services are for, of packages, of what is installed, and of commands. Stands on the
//! loader.

mod admission;
mod builtin;
mod config;
mod event;
mod health;
mod host;
mod plugin;
mod service;
mod unload;

pub use builtin::{BAD_TOPIC, TOO_LARGE};
pub use config::{Config, InstanceConfig, Limits, MessageLimits, PluginConfig, RuntimeOverrides, Unload};
pub use event::Events;
pub use host::{Core, Denial, Fallback, Host, Plugin, Remark, Traces, Upgraded};
pub use plugin::schema;
pub use service::Services;
pub use unload::Ticket;
