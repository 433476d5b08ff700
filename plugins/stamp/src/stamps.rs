//! The headers of one configuration.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use hookrail_abi::Text;
use hookrail_abi::prelude::*;

use crate::config::{Config, Existing};

/// Headers with this prefix are reserved for the host.
const RESERVED: &str = "hookrail-";

/// The headers to add to every message, in this order.
pub(crate) struct Stamps {
    stamps: Vec<(String, Value)>,
    existing: Existing,
}

enum Value {
    Counter,
    Fixed(String),
    Received,
}

impl Stamps {
    pub(crate) fn new(config: Config) -> Result<Self> {
        let Config { headers, host, received, counter, existing } = config;
        let mut stamps: Vec<_> = headers.into_iter().map(|(name, value)| (name, Value::Fixed(value))).collect();
        let host = host.or("host").map(|name| (name, Value::Fixed(host_name())));
        let received = received.or("received").map(|name| (name, Value::Received));
        let counter = counter.or("counter").map(|name| (name, Value::Counter));
        stamps.extend([host, received, counter].into_iter().flatten());
        check_names(&stamps)?;
        Ok(Stamps { stamps, existing })
    }

    /// Adds the headers to message number `number`, received at `now`.
    pub(crate) fn apply(&self, message: &mut Message, now: SystemTime, number: u64) {
        message.headers.reserve(self.stamps.len());
        for (name, value) in &self.stamps {
            match self.existing {
                Existing::Append => {}
                Existing::Keep if message.header(name).is_some() => continue,
                Existing::Keep => {}
                Existing::Replace => message.headers.retain(|header| header.key != **name),
            }
            message.headers.push(Header { key: name.into(), value: value.to_text(now, number) });
        }
    }
}

impl Value {
    fn to_text(&self, now: SystemTime, number: u64) -> Text {
        let mut text = Text::new();
        let written = match self {
            Value::Counter => write!(text, "{number}"),
            Value::Fixed(value) => text.write_str(value),
            // humantime panics if the clock is set before 1970.
            Value::Received => write!(text, "{}", humantime::format_rfc3339_nanos(now.max(UNIX_EPOCH))),
        };
        written.expect("text takes everything, and the clock stands before the year 10000");
        text
    }
}

fn check_names(stamps: &[(String, Value)]) -> Result<()> {
    if stamps.is_empty() {
        return Err("there is nothing to stamp: give `headers`, or set `host`, `received` or `counter`".into());
    }
    for (index, (name, _)) in stamps.iter().enumerate() {
        if name.is_empty() {
            return Err("a header has an empty name: give it one, or `false` to leave it out".into());
        }
        if name.starts_with(RESERVED) {
            return Err(format!("the header `{name}` belongs to the host, as all of `{RESERVED}*`: rename it").into());
        }
        if stamps[..index].iter().any(|(other, _)| other == name) {
            return Err(format!("two stamps are named `{name}`: rename one, or set one of them to `false`").into());
        }
    }
    Ok(())
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stamp;
    use hookrail_abi::testing;
    use std::time::Duration;

    fn stamped(config: &str, headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let stamps = Stamps::new(serde_json::from_str(config).unwrap()).unwrap();
        let mut message = Message::new("a", "body");
        headers.iter().for_each(|(key, value)| message.add_header(key, value));
        stamps.apply(&mut message, UNIX_EPOCH + Duration::new(1_700_000_000, 7), 42);
        message.headers.iter().map(|header| (header.key.to_string(), header.value.to_string())).collect()
    }

    fn check(config: &str, headers: &[(&str, &str)], expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(stamped(config, headers), expected, "{config} on {headers:?}");
    }

    #[test]
    fn every_stamp_has_the_name_it_was_given() {
        let config = r#"{"headers": {"b": "2", "a": "1"}, "host": false, "received": "at", "counter": "n"}"#;
        let at = ("at", "2023-11-14T22:13:20.000000007Z");
        check(config, &[("x", "y")], &[("x", "y"), ("a", "1"), ("b", "2"), at, ("n", "42")]);
    }

    #[test]
    fn a_clock_before_1970_is_no_reason_to_fault() {
        let stamps = Stamps::new(serde_json::from_str("{}").unwrap()).unwrap();
        let mut message = Message::new("a", "body");
        stamps.apply(&mut message, UNIX_EPOCH - Duration::from_secs(1), 1);
        assert_eq!(message.header("received"), Some("1970-01-01T00:00:00.000000000Z"));
    }

    #[test]
    fn true_is_the_usual_name() {
        let names: Vec<_> = stamped(r#"{"counter": true}"#, &[]).into_iter().map(|(key, _)| key).collect();
        assert_eq!(names, ["host", "received", "counter"]);
    }

    #[test]
    fn existing_headers_are_replaced_kept_or_joined() {
        let config = |existing| {
            format!(r#"{{"headers": {{"a": "new"}}, "host": false, "received": false, "existing": "{existing}"}}"#)
        };
        let old = [("a", "old"), ("b", "1"), ("a", "older")];
        check(&config("replace"), &old, &[("b", "1"), ("a", "new")]);
        check(&config("keep"), &old, &old);
        check(&config("keep"), &[], &[("a", "new")]);
        check(&config("append"), &old, &[old[0], old[1], old[2], ("a", "new")]);
    }

    #[test]
    fn mistakes_in_a_configuration_are_reported() {
        for (config, said) in [
            (r#"{"host": false, "received": false}"#, "nothing to stamp"),
            (r#"{"host": ""}"#, "an empty name"),
            (r#"{"counter": "hookrail-count"}"#, "`hookrail-count` belongs to the host"),
            (r#"{"headers": {"host": "me"}}"#, "two stamps are named `host`"),
            (r#"{"host": 1}"#, "the name of a header, true or false"),
            (r#"{"existing": "drop"}"#, "expected one of `append`, `keep`, `replace`"),
            (r#"{"headers": {"a": 1}}"#, "expected a string"),
            (r#"{"header": {}}"#, "unknown field `header`"),
        ] {
            let error = testing::start::<Stamp>(config).unwrap_err().to_string();
            assert!(error.contains(said), "{config}: {error}");
        }
    }
}
