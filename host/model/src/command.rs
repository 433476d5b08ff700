//! What can be asked of a host: each command is a type, with the type of its answer.
//!
//! A command is defined here, once: its name, its fields, its answer, and what carrying it out takes. Whoever
//! can do it registers how; whoever carries it from elsewhere (a socket, the program, HTTP) translates its
//! fields and its answer, and knows no command by name but [`Events`], after whose answer it goes on.
//! [`wire`](crate::wire) is their one JSON form.
//!
//! Files are absolute paths, and opened by the host. Where something is waited for, `wait_ms` says how long at
//! most; without it that is twice the `unload.deadline` of the host's configuration, and never more than
//! [`LONGEST_WAIT`]: more is refused.

mod answers;
mod config;
mod desired;
mod host;
mod installed;
mod plugin;
mod points;
mod store;

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::answers::{Ended, LeftOut, PlacedCallback, PluginDetail, Program, Replaced};
pub use self::config::{Config, ConfigHistory, ConfigSchema, Configure};
pub use self::desired::{Action, Applied, ImportResult, PluginSpec, Step};
pub use self::host::{Events, Status};
pub use self::installed::{Changed, Installed, Planned, Reconfigured, Staged, Uninstalled, Validated};
pub use self::plugin::{List, Load, Restart, SetLogLevel, Show, Start, Stop, Unload, Upgrade};
pub use self::points::{Points, SetLevel, Trace, Unquarantine};
pub use self::store::{Allow, Apply, Disable, Enable, ImportIncoming, Install, Rollback, Stage, Uninstall, Validate};

/// The longest that a command waits: `wait_ms` beyond it is refused.
pub const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Something that can be asked of a host.
///
/// Serialised it is an object of its fields alone; reading one refuses a field that it does not have.
pub trait Command: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// What it goes by.
    const NAME: &'static str;

    /// What carrying it out takes.
    const REQUIRES: Requirements;

    /// What it returns.
    type Answer: Serialize + DeserializeOwned;

    /// How long it asks to be waited for, in milliseconds.
    fn wait_ms(&self) -> Option<u64> {
        None
    }
}

/// What carrying out a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Code of plugins may run in it, on the thread that carries it out.
    pub plugins: bool,
    /// It cannot be carried out where no host runs.
    pub host: bool,
}

impl Requirements {
    /// What is installed, or read.
    pub const NOTHING: Self = Requirements { plugins: false, host: false };
    /// A host that runs.
    pub const HOST: Self = Requirements { plugins: false, host: true };
    /// What is installed, and its plugin where one runs.
    pub const PLUGINS: Self = Requirements { plugins: true, host: false };
    /// A host that runs, and its plugins.
    pub const HOST_AND_PLUGINS: Self = Requirements { plugins: true, host: true };
}

/// Makes a type a command; `wait` for one with a field `wait_ms`.
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
    };
}
use command;

fn is_false(value: &bool) -> bool {
    !value
}
