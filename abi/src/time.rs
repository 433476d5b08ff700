//! Times in configurations.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A time as an operator writes it, with its unit: `"250ms"`, `"5m"`. A bare number would not say of what.
///
/// ```
/// use hookrail_abi::Time;
/// use hookrail_abi::prelude::*;
///
/// #[config]
/// struct Config {
///     /// How long to wait.
///     wait: Time,
/// }
/// # let time: Time = "250ms".to_owned().try_into()?;
/// # assert_eq!(time, Time::from_millis(250));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(Duration);

impl Time {
    /// So many milliseconds.
    pub const fn from_millis(count: u64) -> Self {
        Time(Duration::from_millis(count))
    }

    /// So many seconds.
    pub const fn from_secs(count: u64) -> Self {
        Time(Duration::from_secs(count))
    }

    /// The time itself.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = humantime::parse_duration(&text);
        time.map(Time).map_err(|_| format!("\"{text}\" is not a time such as \"250ms\" or \"5m\""))
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A time with its unit, such as \"250ms\" or \"5m\"." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_shown() {
        for (text, time) in
            [("250ms", Time::from_millis(250)), ("5m", Time::from_secs(300)), ("1h 2s", Time::from_secs(3602))]
        {
            let read: Time = serde_json::from_value(text.into()).unwrap();
            assert_eq!(read, time);
            assert_eq!(serde_json::to_value(read).unwrap(), text);
        }
        let error = serde_json::from_value::<Time>("5".into()).unwrap_err().to_string();
        assert_eq!(error, "\"5\" is not a time such as \"250ms\" or \"5m\"");
    }
}
