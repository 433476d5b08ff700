//! Which message belongs to which bucket, and why it is denied.

use std::time::Duration;

use hookrail_abi::prelude::*;

use crate::buckets::Buckets;
use crate::config::{Config, Key};

/// One configuration in use.
pub(crate) struct Limiter {
    rate: f64,
    key: Key,
    buckets: Buckets,
}

impl Limiter {
    pub(crate) fn new(config: Config) -> Result<Self> {
        let Config { rate, burst, key, max_keys } = config;
        // Written so that NaN is refused too. Above the limit, a nanosecond clock is too coarse.
        if !(rate > 0.0 && rate <= 1e6) {
            return Err(format!("`rate` is {rate}: give the messages per second, above 0 and at most 1000000").into());
        }
        let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        let burst = burst.map_or(rate.ceil() as u32, |burst| burst.get());
        Ok(Limiter { rate, key, buckets: Buckets::new(interval, burst, max_keys.get() as usize) })
    }

    /// Takes a token for the message; returns false if its bucket is empty.
    pub(crate) fn admits(&mut self, message: &Message, now: Duration) -> bool {
        self.buckets.take(self.key_of(message).as_bytes(), now)
    }

    pub(crate) fn reason(&self, message: &Message) -> String {
        let what = match &self.key {
            Key::Source => "source",
            Key::Topic => "topic",
            Key::Header(name) => &format!("header `{name}` with the value"),
        };
        // The sender chooses the key: truncate it, so that a denial stays short.
        let key = self.key_of(message).chars().take(64).collect::<String>();
        format!("the {what} {key:?} sends more than {} messages per second", self.rate)
    }

    fn key_of<'m>(&self, message: &'m Message) -> &'m str {
        match &self.key {
            Key::Source => &message.source,
            Key::Topic => &message.topic,
            Key::Header(name) => message.header(name).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Throttle;
    use hookrail_abi::testing;

    fn limiter(key: Key) -> Limiter {
        let max_keys = 10.try_into().unwrap();
        Limiter::new(Config { rate: 1.0, burst: None, key, max_keys }).unwrap()
    }

    fn message(source: &str, topic: &str, client: &str) -> Message {
        let mut message = Message::new(topic, "body");
        message.source.set(source);
        message.add_header("client", client);
        message
    }

    #[test]
    fn messages_share_a_bucket_when_they_share_the_key() {
        let first = message("s", "t", "c");
        for (key, shares, differs) in [
            (Key::Source, message("s", "x", "x"), message("x", "t", "c")),
            (Key::Topic, message("x", "t", "x"), message("s", "x", "c")),
            (Key::Header("client".into()), message("x", "x", "c"), message("s", "t", "x")),
        ] {
            let mut limiter = limiter(key);
            assert!(limiter.admits(&first, Duration::ZERO));
            assert!(!limiter.admits(&shares, Duration::ZERO), "{}", limiter.reason(&shares));
            assert!(limiter.admits(&differs, Duration::ZERO), "{}", limiter.reason(&differs));
        }
    }

    #[test]
    fn messages_without_the_header_share_a_bucket() {
        let mut limiter = limiter(Key::Header("client".into()));
        assert!(limiter.admits(&Message::new("a", ""), Duration::ZERO));
        assert!(!limiter.admits(&Message::new("b", ""), Duration::ZERO));
    }

    #[test]
    fn a_long_key_makes_no_long_reason() {
        let long = message("s", "t", &"\u{20ac}".repeat(1_000));
        let reason = limiter(Key::Header("client".into())).reason(&long);
        assert!(reason.starts_with("the header `client` with the value \"\u{20ac}"), "{reason}");
        assert!(reason.chars().count() < 200, "{reason}");
    }

    #[test]
    fn the_burst_is_one_seconds_worth_when_it_is_not_given() {
        for (rate, burst) in [(0.1, 1), (1.0, 1), (2.5, 3), (100.0, 100)] {
            let mut limiter =
                Limiter::new(Config { rate, burst: None, key: Key::Source, max_keys: 1.try_into().unwrap() }).unwrap();
            let admitted = (0..1_000).filter(|_| limiter.admits(&message("", "", ""), Duration::ZERO)).count();
            assert_eq!(admitted, burst, "{rate}");
        }
    }

    #[test]
    fn mistakes_in_a_configuration_are_reported() {
        for (config, said) in [
            ("{}", "missing field `rate`"),
            (r#"{"rate": 0}"#, "`rate` is 0: give the messages per second"),
            (r#"{"rate": -1}"#, "`rate` is -1"),
            (r#"{"rate": 1000001}"#, "at most 1000000"),
            (r#"{"rate": 1, "burst": 0}"#, "nonzero"),
            (r#"{"rate": 1, "max_keys": 0}"#, "nonzero"),
            (r#"{"rate": 1, "key": "colour"}"#, "expected one of `source`, `topic`, `header`"),
            (r#"{"rate": 1, "limit": 2}"#, "unknown field `limit`"),
        ] {
            let error = testing::start::<Throttle>(config).unwrap_err().to_string();
            assert!(error.contains(said), "{config}: {error}");
        }
    }

    #[test]
    fn each_form_of_a_key_is_understood() {
        for key in [r#""source""#, r#""topic""#, r#"{"header": "client"}"#] {
            testing::start::<Throttle>(&format!(r#"{{"rate": 1, "key": {key}}}"#)).unwrap();
        }
    }
}
