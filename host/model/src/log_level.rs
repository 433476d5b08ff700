//! How much a plugin logs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::named::display_name;
use crate::parse::ParseError;

/// The names, indexed by number.
const NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// How much a plugin logs: everything of that level, and everything more severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u32)]
pub enum LogLevel {
    /// Nothing.
    Off = 0,
    /// What failed.
    Error = 1,
    /// What is wrong without being a failure.
    Warn = 2,
    /// What is worth knowing.
    Info = 3,
    /// What helps debugging.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

impl LogLevel {
    /// The level with that number at the boundary.
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

    /// The level as it is written.
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

display_name!(LogLevel);

impl FromStr for LogLevel {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        let number = NAMES.iter().position(|known| *known == name);
        number
            .map(|number| LogLevel::of_number(number as u32))
            .ok_or_else(|| ParseError::new(format!("it is one of {}", NAMES.join(", "))))
    }
}
