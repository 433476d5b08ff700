//! x
#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("hookrail runs on Linux with glibc, on x86_64 and aarch64");

mod admission;
mod builtin;
mod chain;
mod config;
mod context;
mod embed;
mod error;
mod fault;
mod host;
mod library;
mod names;
mod pin;
mod plugin;
mod reclaim;
mod registry;
mod said;
mod service;
mod sync;
mod unload;
mod view;

pub use builtin::{BAD_TOPIC, TOO_LARGE};
pub use chain::{CallbackId, Outcome};
pub use config::{Config, HookOverride, InstanceConfig, MessageLimits, PluginConfig};
pub use context::About;
pub use embed::{Callbacks, Registered};
pub use error::{ApiMisuse, ConfigError, Error, Incompatible, Misbehaved};
pub use host::{Decision, HookPoint, Host, Plugin};
pub use library::{End, Inspection, Note, NoteHook, inspect};
pub use pin::Pin;
pub use plugin::schema;
pub use unload::Ticket;
pub use view::{CallbackView, PluginView, PointView};

pub use hookrail_abi::catalogue::{self, MessageDelivered, MessageDropped, MessagePublish};
pub use hookrail_abi::{Dropped, Header, Message, MessageId, Priority, Verdict};
