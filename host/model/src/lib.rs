//! Plain data of a host that leaves the process, or could.
//!
//! Owns the vocabulary that the host's crates and the program share: commands with their answers ([`command`],
//! [`wire`]), events, views, levels, ends, errors, what a plugin's file and its package declare ([`note`],
//! [`package`]), what is installed ([`installed`]), and the parts of a configuration that more than one crate has to
//! know ([`config`]).
//!
//! Must know nothing of threads, files and libraries: nothing here opens, waits or calls into a plugin. It is the
//! lowest of the host's crates, and stands on the ABI alone.

pub mod bus;
pub mod capability;
pub mod command;
pub mod config;
mod constructors;
pub mod crash;
pub mod end;
pub mod error;
pub mod event;
pub mod health;
pub mod installed;
pub mod instance;
pub mod isolation;
mod log;
pub mod log_level;
pub mod memory;
pub mod metrics;
mod named;
pub mod note;
pub mod order;
pub mod package;
mod parse;
pub mod pipeline;
#[doc(hidden)]
pub mod plugin_metrics;
pub mod retryable;
pub mod schema;
#[doc(hidden)]
pub mod secrets;
mod setters;
pub mod stats;
#[doc(hidden)]
pub mod tap;
pub mod time;
pub mod times;
pub mod trace;
pub mod unit;
pub mod units;
pub mod view;
pub mod wire;

pub use log::{guarded, log_path, log_target};
pub use parse::ParseError;
#[doc(hidden)]
pub use tracing;
