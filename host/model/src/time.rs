//! Times as JSON has them: RFC 3339 with nine digits, in UTC. A number of nanoseconds is more than JSON's readers hold.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serializer, de};

/// For a field: `#[serde(with = "crate::time")]`.
pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_nanos(representable(*time)))
}

/// As [`serialize`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    humantime::parse_rfc3339(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// That much later, or a century if the clock does not reach as far: whoever says `Duration::MAX` means never.
pub fn later(moment: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    moment.checked_add(time).unwrap_or_else(|| moment + CENTURY)
}

/// A time as RFC 3339, in whole seconds.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(representable(time)).to_string()
}

/// A time as RFC 3339, in milliseconds.
pub fn rfc3339_millis(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(representable(time)).to_string()
}

/// The time, or the nearest one that RFC 3339 can say: a clock may be set to anything.
fn representable(time: SystemTime) -> SystemTime {
    /// The last second of the year 9999.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    time.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_too_long() {
        let now = Instant::now();
        assert_eq!(later(now, Duration::from_secs(1)), now + Duration::from_secs(1));
        assert!(later(now, Duration::MAX) > now + Duration::from_secs(1 << 30));
    }

    #[test]
    fn any_clock_can_be_told() {
        for (time, said) in [
            (UNIX_EPOCH - Duration::from_secs(1 << 30), "1970-01-01T00:00:00Z"),
            (UNIX_EPOCH, "1970-01-01T00:00:00Z"),
            (UNIX_EPOCH + Duration::from_secs(1 << 40), "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(time), said);
            assert_eq!(rfc3339_millis(time), said.replace('Z', ".000Z"));
            assert!(serialize(&time, serde_json::value::Serializer).is_ok());
        }
    }
}
