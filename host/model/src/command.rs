//! The commands that a host executes: each is a type, with the type of its answer.
//!
//! A command is defined here, once: its name, its fields, its answer, and what executing it requires. A crate that can
//! execute it registers how. Code that carries it from elsewhere (a socket, the program, HTTP) translates its fields
//! and its answer, and knows no command by name except [`Events`], whose answer is followed by a stream.
//! [`wire`](crate::wire) is the JSON form of all commands.
//!
//! Files are absolute paths, and opened by the host. Where something is waited for, `wait_ms` says how long at
//! most; without it that is twice the `unload.deadline` of the host's configuration, and never more than
//! [`LONGEST_WAIT`]: more is refused.

mod answers;
mod config;
mod crash;
mod desired;
mod host;
mod installed;
mod pipeline;
mod plugin;
mod points;
mod store;
mod tap;

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::answers::{Ended, LeftOut, PlacedCallback, PluginDetail, Program, Replaced};
pub use self::config::{Config, ConfigHistory, ConfigSchema, Configure, ReloadConfig, ReloadedConfig};
pub use self::crash::{Crashes, ShowCrash};
pub use self::desired::{Action, Applied, ImportResult, PluginSpec, Step};
pub use self::host::{Events, Metrics, Status};
pub use self::installed::{Changed, Installed, Planned, Reconfigured, Staged, Uninstalled, Validated};
pub use self::pipeline::{PipelineAct, Pipelines, SetPipeline, ShowPipeline};
pub use self::plugin::{
    Embed, Halt, Isolate, List, Load, Replace, Restart, Resume, SetLogLevel, Show, Start, Stop, Unload,
};
pub use self::points::{Points, SetCallback, SetLevel, Trace, Unquarantine};
pub use self::store::{Allow, Apply, Disable, Enable, ImportIncoming, Install, Rollback, Stage, Uninstall, Validate};
pub use self::tap::Tap;

/// The longest wait of a command: a larger `wait_ms` is refused.
pub const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// A command to a host.
///
/// It is serialised as an object of its fields only; deserialising refuses unknown fields.
pub trait Command: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// The name of the command.
    const NAME: &'static str;

    /// What executing it requires.
    const REQUIRES: Requirements;

    /// The type of its answer.
    type Answer: Serialize + DeserializeOwned;

    /// How long it may wait, in milliseconds, if it sets a limit.
    fn wait_ms(&self) -> Option<u64> {
        None
    }
}

/// What executing a command requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirements {
    /// Executing it may run code of plugins on the executing thread.
    pub plugins: bool,
    /// It cannot be executed where no host runs.
    pub host: bool,
}

impl Requirements {
    /// Only the store, or nothing.
    pub const NOTHING: Self = Requirements { plugins: false, host: false };
    /// A running host.
    pub const HOST: Self = Requirements { plugins: false, host: true };
    /// The store, and the plugin if it runs.
    pub const PLUGINS: Self = Requirements { plugins: true, host: false };
    /// A running host and its plugins.
    pub const HOST_AND_PLUGINS: Self = Requirements { plugins: true, host: true };
}

/// Implements [`Command`] for a type; the last argument is for types with a field `wait_ms`, and gives them its setter.
macro_rules! command {
    ($command:ident, $name:literal, $takes:ident, $answer:ty $(, $wait:ident)?) => {
        impl $crate::command::Command for $command {
            const NAME: &'static str = $name;
            const REQUIRES: $crate::command::Requirements = $crate::command::Requirements::$takes;
            type Answer = $answer;
            $(fn wait_ms(&self) -> Option<u64> {
                self.$wait
            })?
        }

        $(impl $command {
            /// Waits for as long as that, instead of the host's default; in whole milliseconds.
            #[must_use]
            pub fn wait(mut self, longest: std::time::Duration) -> Self {
                self.$wait = Some(longest.as_millis().try_into().unwrap_or(u64::MAX));
                self
            }
        })?
    };
}
use command;

fn is_false(value: &bool) -> bool {
    !value
}
