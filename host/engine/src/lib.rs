//! The life of plugins in a host: loading, admission, upgrade, rollback, configuration, monitoring and unloading.
//!
//! Owns the [`Host`] and everything that is known of each plugin, in one table; its [`Config`]; what may enter a chain;
//! the watchdog, which acts on what dispatches find out; events; and the services offered to plugins, to which crates
//! above add their own by [`Services::register`].
//!
//! Must know nothing of the purpose of those services, of packages, of the store, or of commands. Stands on the loader.

mod acting;
mod admission;
mod body;
mod builtin;
mod config;
mod crashes;
mod endpoints;
mod event;
mod fired;
mod health;
mod host;
mod in_process;
mod isolation;
mod keeping;
mod plugin;
mod points;
mod receive;
mod register;
#[doc(hidden)]
pub mod secrets;
mod service;
mod thread;
mod ticket;
mod units;
mod unload;
mod writable;

pub use acting::Actor;
pub use body::{Admission, Body, Configured, Request, Response, Saved, WorkerStatus};
pub use builtin::{BAD_TOPIC, TOO_LARGE};
#[cfg(feature = "config-file")]
#[doc(hidden)]
pub use config::parse_whole;
pub use config::{
    Config, ConfigKey, DroppedContent, InstanceConfig, KeyOrigin, Limits, MessageLimits, PluginConfig,
    RuntimeOverrides, UnloadLimits,
};
pub use crashes::Crashes;
pub use endpoints::{Accepted, Accepts, Attendant, Attending, DeclaredEndpoints, Endpoint, Endpoints};
pub use event::Events;
pub use host::{Core, Denial, Fallback, Former, Host, PluginHandle, Remark, Traces, Upgraded};
pub use in_process::{InProcess, Opening};
pub use isolation::{Isolation, Placement, provide};
pub use keeping::Keeper;
pub use plugin::{declared_endpoints, schema};
pub use points::{DispatchContext, Dispatched, FoundPoint, NotDispatched, PointWish, Points};
pub use service::{BusWish, Caller, Guest, Keepsake, Revocable, Services, offer, sweep_instance};
pub use ticket::Ticket;
pub use units::{Next, UnitControl, UnitEnd, UnitEvent, UnitInbox, UnitNow, UnitOrder, UnitSaid, UnitSpec, Units};
pub use writable::{NotWritten, Taken, Writable};
