//! The operator's configuration of one use of the sink.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hookrail_abi::Time;
use hookrail_abi::prelude::*;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName,
    HeaderValue, TRANSFER_ENCODING,
};

use super::target::Target;
use super::tls;
use crate::token::Token;

/// Configuration of the sink `http`.
#[config]
pub(crate) struct Config {
    /// Where messages are posted to: `http://` or `https://`, a host, and a path.
    pub(crate) url: String,

    /// What is sent of a message.
    #[serde(default)]
    pub(crate) form: Form,

    /// The `Content-Type`.
    #[serde(default = "content_type")]
    pub(crate) content_type: String,

    /// More headers of each request. Secrets belong into `token_file`.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,

    /// A file with a token, which is sent as `Authorization: Bearer TOKEN`. It is read again when it has changed.
    #[serde(default)]
    pub(crate) token_file: Option<String>,

    /// A file of certificates in PEM form that are trusted in place of those of the system.
    #[serde(default)]
    pub(crate) ca_file: Option<String>,

    /// Whether bodies are compressed with gzip.
    #[serde(default)]
    pub(crate) gzip: bool,

    /// From so many bytes a batch is full, before it is compressed. A message that is larger is sent alone.
    #[serde(default = "max_bytes")]
    #[schemars(range(min = 1, max = 67_108_864))]
    pub(crate) max_bytes: usize,

    /// The most messages of a batch.
    #[serde(default = "max_messages")]
    #[schemars(range(min = 1, max = 65_536))]
    pub(crate) max_messages: usize,

    /// How long a batch that is not full waits for more messages.
    #[serde(default = "linger")]
    pub(crate) linger: Time,

    /// How long a request may take, from the connection to the head of its answer.
    #[serde(default = "timeout")]
    pub(crate) timeout: Time,

    /// The first pause before a batch is sent again is up to so long, each one after it up to twice as long.
    #[serde(default = "retry_from")]
    pub(crate) retry_from: Time,

    /// The longest pause, unless the receiver wants a longer one by `Retry-After`, up to five minutes.
    #[serde(default = "retry_to")]
    pub(crate) retry_to: Time,

    /// How long it still delivers what it has when it is to end at once. What is not delivered then stays with the host,
    /// which waits a second for it: let it be less.
    #[serde(default = "finish")]
    pub(crate) finish: Time,

    /// A file that messages are appended to which the receiver refuses for good, each with the reason. It may be moved
    /// away at any time; nothing else bounds it.
    #[serde(default)]
    pub(crate) dead_letters: Option<String>,
}

/// What is sent of a message.
#[config]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// The body as it is. A newline ends it if a request may have several; then a body with newlines is refused.
    Body,
    /// The whole message as one JSON object, and a newline: what the source `http` takes.
    #[default]
    Message,
}

/// What the operator wants, checked.
pub(crate) struct Wanted {
    pub(crate) target: Target,
    pub(crate) form: Form,
    pub(crate) headers: HeaderMap,
    pub(crate) token_file: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) gzip: bool,
    pub(crate) max_bytes: usize,
    pub(crate) max_messages: usize,
    pub(crate) linger: Duration,
    pub(crate) timeout: Duration,
    pub(crate) retry_from: Duration,
    pub(crate) retry_to: Duration,
    pub(crate) finish: Duration,
    pub(crate) dead_letters: Option<PathBuf>,
}

fn content_type() -> String {
    "application/x-ndjson".into()
}

const fn max_bytes() -> usize {
    1 << 20
}

const fn max_messages() -> usize {
    1000
}

const fn linger() -> Time {
    Time::from_millis(100)
}

const fn timeout() -> Time {
    Time::from_secs(30)
}

const fn retry_from() -> Time {
    Time::from_millis(250)
}

const fn retry_to() -> Time {
    Time::from_secs(30)
}

const fn finish() -> Time {
    Time::from_millis(500)
}

impl Config {
    /// Checks what serde cannot.
    pub(crate) fn wanted(self) -> Result<Wanted> {
        let target = Target::new(&self.url).map_err(|why| format!("`url` {why}"))?;
        for (name, value, most) in
            [("max_bytes", self.max_bytes, 64 << 20), ("max_messages", self.max_messages, 65_536)]
        {
            if value == 0 || value > most {
                return Err(format!("`{name}` is {value}: let it be 1 to {most}").into());
            }
        }
        let least = Duration::from_millis(10);
        for (name, time, least) in [
            ("linger", self.linger, Duration::ZERO),
            ("timeout", self.timeout, least),
            ("retry_from", self.retry_from, least),
            ("retry_to", self.retry_to, self.retry_from.duration()),
            ("finish", self.finish, Duration::ZERO),
        ] {
            if !(least..=Duration::from_secs(3600)).contains(&time.duration()) {
                let least = Time::from_millis(least.as_millis() as u64);
                return Err(format!("`{name}` is {time}: let it be {least} to 1h").into());
            }
        }
        if let Some(path) = &self.token_file {
            Token::new(path)?;
        }
        let ca_file = self.ca_file.as_ref().map(PathBuf::from);
        if let Some(path) = &ca_file {
            if !target.is_secure {
                return Err("`ca_file` is for `https://`: let `url` begin with that, or leave it out".into());
            }
            tls::trusted(path)?;
        }
        Ok(Wanted {
            headers: self.headers()?,
            target,
            form: self.form,
            token_file: self.token_file,
            ca_file,
            gzip: self.gzip,
            max_bytes: self.max_bytes,
            max_messages: self.max_messages,
            linger: self.linger.duration(),
            timeout: self.timeout.duration(),
            retry_from: self.retry_from.duration(),
            retry_to: self.retry_to.duration(),
            finish: self.finish.duration(),
            dead_letters: self.dead_letters.map(PathBuf::from),
        })
    }

    fn headers(&self) -> Result<HeaderMap> {
        const OURS: [HeaderName; 6] =
            [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];
        let value = |text: &str| HeaderValue::from_str(text).ok();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, value(&self.content_type).ok_or("`content_type` can be no header")?);
        for (name, text) in &self.headers {
            let bad = |why: &str| format!("`headers.{name}`: {why}");
            let key = HeaderName::try_from(name).map_err(|_| bad("this can be no name of a header"))?;
            if key == AUTHORIZATION {
                return Err(bad("write the token into a file, and its path in `token_file`").into());
            }
            if OURS.contains(&key) {
                return Err(bad("the sink sets it itself").into());
            }
            headers.insert(key, value(text).ok_or_else(|| bad("its value can be none of a header"))?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use hookrail_abi::Configuration;

    use super::*;

    #[test]
    fn mistakes_are_reported() {
        for (config, said) in [
            ("{}", "missing field `url`"),
            (r#"{"url": "ftp://a/"}"#, "`url` begins with neither"),
            (r#"{"url": "http://u:p@a/"}"#, "`url` has a user"),
            (r#"{"url": "http://a/", "form": "text"}"#, "unknown variant `text`"),
            (r#"{"url": "http://a/", "ca_file": "/x"}"#, "`ca_file` is for `https://`"),
            (r#"{"url": "https://a/", "ca_file": "/no/such"}"#, "`ca_file`: /no/such: No such file"),
            (r#"{"url": "http://a/", "token_file": "/no/such"}"#, "`token_file`: /no/such"),
            (r#"{"url": "http://a/", "max_bytes": 0}"#, "`max_bytes` is 0: let it be 1 to 67108864"),
            (r#"{"url": "http://a/", "retry_to": "100ms"}"#, "`retry_to` is 100ms: let it be 250ms to 1h"),
            (r#"{"url": "http://a/", "headers": {"a b": ""}}"#, "`headers.a b`: this can be no name"),
            (r#"{"url": "http://a/", "headers": {"a": "\n"}}"#, "`headers.a`: its value"),
            (r#"{"url": "http://a/", "headers": {"Authorization": "x"}}"#, "`token_file`"),
            (r#"{"url": "http://a/", "headers": {"Host": "x"}}"#, "the sink sets it itself"),
            (r#"{"url": "http://a:99999/"}"#, "`url` has the port \"99999\": let it be 1 to 65535"),
            (r#"{"url": "http://a/", "token": "x"}"#, "unknown field `token`"),
        ] {
            let error = Config::from_json(config).and_then(|config| config.wanted().map(drop)).unwrap_err().to_string();
            assert!(error.contains(said), "{config}: {error}");
        }
        assert!(Config::from_json(r#"{"url": "https://a:1/b?c=d"}"#).unwrap().wanted().is_ok());
    }
}
