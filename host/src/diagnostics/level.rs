//! How much a plugin tells.

use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

/// How much a plugin tells: everything of that level, and what matters more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u32)]
pub enum LogLevel {
    /// Nothing.
    Off = 0,
    /// That something failed.
    Error = 1,
    /// That something is off.
    Warn = 2,
    /// That something worth knowing happened.
    Info = 3,
    /// What whoever looks for a mistake wants to know.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

impl LogLevel {
    /// As much as this program's subscriber wants to know; when there is none yet, [`Info`](Self::Info).
    pub(crate) fn of_program() -> Self {
        match LevelFilter::current() {
            LevelFilter::OFF | LevelFilter::INFO => LogLevel::Info,
            LevelFilter::ERROR => LogLevel::Error,
            LevelFilter::WARN => LogLevel::Warn,
            LevelFilter::DEBUG => LogLevel::Debug,
            LevelFilter::TRACE => LogLevel::Trace,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Off => "off",
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}
