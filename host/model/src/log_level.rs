//! How much a plugin tells.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// By their numbers.
const NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

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
    /// The level of that number at the boundary.
    pub fn of_number(number: u32) -> Self {
        match number {
            0 => LogLevel::Off,
            1 => LogLevel::Error,
            2 => LogLevel::Warn,
            3 => LogLevel::Info,
            4 => LogLevel::Debug,
            _ => LogLevel::Trace,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let number = NAMES.iter().position(|known| *known == name);
        number
            .map(|number| LogLevel::of_number(number as u32))
            .ok_or_else(|| format!("it is one of {}", NAMES.join(", ")))
    }
}
