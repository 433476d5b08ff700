//! Which message belongs to which bucket, and why it is denied.

use std::time::Duration;

use hookrail_abi::prelude::*;

use crate::buckets::Buckets;
use crate::config::{Config, Key, WithoutKey};

/// The code of a message above the rate, as in HTTP's "too many requests".
const TOO_MANY: u16 = 429;

/// The code of a message without the key, as in HTTP's "bad request".
const NO_KEY: u16 = 400;

/// One configuration in use.
pub(crate) struct Limiter {
    rate: f64,
    key: Key,
    without_key: WithoutKey,
    buckets: Buckets,
    /// Whether there was a message without the key, which has been told.
    was_keyless: bool,
}

/// What becomes of a message. No text in it has a value of the message, which may be a secret that a mask behind this
/// plugin would hide.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Judgement {
    /// The code and the reason with which it is denied.
    pub(crate) denial: Option<(u16, String)>,
    /// What the operator should know.
    pub(crate) warning: Option<String>,
}

impl Limiter {
    pub(crate) fn new(config: Config) -> Result<Self> {
        let Config { rate, burst, key, without_key, max_keys } = config;
        // Written so that NaN is refused too. Above the limit, a nanosecond clock is too coarse.
        if !(rate > 0.0 && rate <= 1e6) {
            return Err(format!("`rate` is {rate}: give the messages per second, above 0 and at most 1000000").into());
        }
        let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        let burst = burst.map_or(rate.ceil() as u32, |burst| burst.get());
        let buckets = Buckets::new(interval, burst, max_keys.get() as usize);
        Ok(Limiter { rate, key, without_key, buckets, was_keyless: false })
    }

    /// Takes a token for the message, or denies it.
    pub(crate) fn judge(&mut self, message: &Message, now: Duration) -> Judgement {
        let key = match &self.key {
            Key::Source => &message.source,
            Key::Topic => &message.topic,
            Key::Header(name) => message.header(name).unwrap_or_default(),
        };
        let warning = if key.is_empty() { self.tell_keyless() } else { None };
        let denial = match self.without_key {
            WithoutKey::Allow if key.is_empty() => None,
            WithoutKey::Deny if key.is_empty() => Some((NO_KEY, format!("it has no {}", self.key_name()))),
            _ if self.buckets.take(key.as_bytes(), now) => None,
            _ => Some((TOO_MANY, self.too_many(key.is_empty()))),
        };
        Judgement { denial, warning }
    }

    /// Once: a key that is misspelt is missing in every message.
    fn tell_keyless(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.was_keyless, true) {
            return None;
        }
        let (name, what) = match self.without_key {
            WithoutKey::Allow => ("allow", "are not limited"),
            WithoutKey::Deny => ("deny", "are denied"),
            WithoutKey::Share => ("share", "share one bucket"),
        };
        let key = self.key_name();
        Some(format!(
            "a message has no {key}: such messages {what}, as `without_key = \"{name}\"` says; this is told once"
        ))
    }

    fn too_many(&self, is_keyless: bool) -> String {
        let rate = self.rate;
        match &self.key {
            _ if is_keyless => format!("more than {rate} messages per second without a {}", self.key_name()),
            Key::Source => format!("more than {rate} messages per second from its source"),
            Key::Topic => format!("more than {rate} messages per second on its topic"),
            Key::Header(name) => format!("more than {rate} messages per second with its value of the header `{name}`"),
        }
    }

    fn key_name(&self) -> String {
        match &self.key {
            Key::Source => "source".into(),
            Key::Topic => "topic".into(),
            Key::Header(name) => format!("header `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Throttle;
    use hookrail_abi::testing;

    fn limiter(key: Key, without_key: WithoutKey) -> Limiter {
        Limiter::new(Config { rate: 1.0, burst: None, key, without_key, max_keys: 10.try_into().unwrap() }).unwrap()
    }

    fn message(source: &str, topic: &str, client: &str) -> Message {
        let mut message = Message::new(topic, "body");
        message.source.set(source);
        message.add_header("client", client);
        message
    }

    /// Why it is denied, if it is.
    fn denial(limiter: &mut Limiter, message: &Message) -> Option<(u16, String)> {
        limiter.judge(message, Duration::ZERO).denial
    }

    #[test]
    fn messages_share_a_bucket_when_they_share_the_key_and_the_reason_quotes_none_of_them() {
        let first = message("s", "t", "c");
        for (key, shares, differs, why) in [
            (Key::Source, message("s", "x", "x"), message("x", "t", "c"), "from its source"),
            (Key::Topic, message("x", "t", "x"), message("s", "x", "c"), "on its topic"),
            (
                Key::Header("client".into()),
                message("x", "x", "c"),
                message("s", "t", "x"),
                "with its value of the header `client`",
            ),
        ] {
            let mut limiter = limiter(key, WithoutKey::Allow);
            assert_eq!(limiter.judge(&first, Duration::ZERO), Judgement::default());
            assert_eq!(denial(&mut limiter, &shares), Some((429, format!("more than 1 messages per second {why}"))));
            assert_eq!(limiter.judge(&differs, Duration::ZERO), Judgement::default(), "{why}");
        }
    }

    #[test]
    fn messages_without_the_key_are_allowed_denied_or_share_a_bucket_which_is_told_once() {
        let too_many = |key: &str| Some((429, format!("more than 1 messages per second without a {key}")));
        let no_key = |key: &str| Some((400, format!("it has no {key}")));
        let other = message("s", "t", "c");
        for (key, name, keyless) in [
            (Key::Source, "source", message("", "t", "c")),
            (Key::Topic, "topic", message("s", "", "c")),
            (Key::Header("client".into()), "header `client`", message("s", "t", "")),
            (Key::Header("cilent".into()), "header `cilent`", message("s", "t", "c")),
        ] {
            for (without_key, first, second, said) in [
                (WithoutKey::Allow, None, None, "are not limited, as `without_key = \"allow\"` says"),
                (WithoutKey::Deny, no_key(name), no_key(name), "are denied, as `without_key = \"deny\"` says"),
                (WithoutKey::Share, None, too_many(name), "share one bucket, as `without_key = \"share\"` says"),
            ] {
                let mut limiter = limiter(key.clone(), without_key);
                let judgement = limiter.judge(&keyless, Duration::ZERO);
                assert_eq!(judgement.denial, first, "{name}: {said}");
                let warning = judgement.warning.unwrap();
                assert!(warning.starts_with(&format!("a message has no {name}: ")), "{warning}");
                assert!(warning.contains(said), "{warning}");
                assert_eq!(limiter.judge(&keyless, Duration::ZERO), Judgement { denial: second, warning: None });
                if name != "header `cilent`" {
                    assert_eq!(limiter.judge(&other, Duration::ZERO), Judgement::default(), "{name}: {said}");
                }
            }
        }
    }

    #[test]
    fn the_burst_is_one_seconds_worth_when_it_is_not_given() {
        for (rate, burst) in [(0.1, 1), (1.0, 1), (2.5, 3), (100.0, 100)] {
            let (key, without_key, max_keys) = (Key::Source, WithoutKey::Allow, 1.try_into().unwrap());
            let mut limiter = Limiter::new(Config { rate, burst: None, key, without_key, max_keys }).unwrap();
            let message = message("s", "t", "c");
            let admitted = (0..1_000).filter(|_| denial(&mut limiter, &message).is_none()).count();
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
            (r#"{"rate": 1, "without_key": "drop"}"#, "expected one of `allow`, `deny`, `share`"),
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
