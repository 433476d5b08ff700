//! The operator's configuration of one use of the source.

use std::net::SocketAddr;
use std::time::Duration;

use hookrail_abi::Time;
use hookrail_abi::prelude::*;

use super::topic;
use crate::token::Token;

/// Configuration of the source `http`.
#[config]
#[serde(default)]
pub(crate) struct Config {
    /// The address that it listens at, an IP address and a port. Port 0 is any that is free; the log says which.
    pub(crate) address: String,

    /// The path that messages are posted to.
    pub(crate) path: String,

    /// The topic of messages that have none, unless the request has a parameter `topic`.
    pub(crate) topic: String,

    /// A file with a token that clients must present, as `Authorization: Bearer TOKEN`. Without it, whoever reaches the
    /// address may post.
    pub(crate) token_file: Option<String>,

    /// The most bytes of a message's body, and of a request whose body is that. One of JSON may have six times that and
    /// 1 MiB, as it is sent and when it is decompressed: so much the same messages may need as JSON.
    #[schemars(range(min = 1, max = 268_435_456))]
    pub(crate) max_body: usize,

    /// The most messages of a request.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_messages: usize,

    /// The most requests whose bodies are there and that are being taken at once; more are answered with 429.
    #[schemars(range(min = 1, max = 65_536))]
    pub(crate) max_requests: usize,

    /// The most bytes that the requests being taken may need in memory, their messages included; what does not fit now is
    /// answered with 429, and what never could with 413.
    #[schemars(range(min = 1, max = 4_294_967_296_u64))]
    pub(crate) max_in_flight: usize,

    /// The most connections that are open at once; more wait to be accepted.
    #[schemars(range(min = 1, max = 65_536))]
    pub(crate) max_connections: usize,

    /// How long the head of a request may take, also the next one of a connection; then the connection is closed.
    pub(crate) header_timeout: Time,

    /// How long the body of a request may take as a whole; then it is answered with 408. A client that reads nothing of
    /// its answers for that time loses its connection.
    pub(crate) body_timeout: Time,

    /// How long a request waits for room in the queues of the pipeline, from the end of its body; then it is answered with
    /// 429.
    pub(crate) patience: Time,
}

/// What the operator wants, checked.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) topic: String,
    pub(crate) token_file: Option<String>,
    pub(crate) max_body: usize,
    pub(crate) max_messages: usize,
    pub(crate) max_requests: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) max_connections: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) patience: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            address: "127.0.0.1:8080".into(),
            path: "/".into(),
            topic: "http".into(),
            token_file: None,
            max_body: 8 << 20,
            max_messages: 10_000,
            max_requests: 256,
            max_in_flight: 64 << 20,
            max_connections: 1024,
            header_timeout: Time::from_secs(10),
            body_timeout: Time::from_secs(30),
            patience: Time::from_secs(5),
        }
    }
}

impl Config {
    /// Checks what serde cannot.
    pub(crate) fn wanted(self) -> Result<Wanted> {
        let address = self.address.parse().map_err(|_| {
            format!("`address` is {:?}: let it be an IP address and a port, such as \"127.0.0.1:8080\"", self.address)
        })?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
        if !self.path.starts_with('/') || !self.path.bytes().all(is_plain) {
            return Err(format!("`path` is {:?}: let it be `/`, or `/` and letters, digits, `-_.~/`", self.path).into());
        }
        topic::check(&self.topic).map_err(|why| format!("`topic` is {:?}: {why}", self.topic))?;
        if let Some(path) = &self.token_file {
            Token::new(path)?;
        }
        for (name, value, most) in [
            ("max_body", self.max_body, 256 << 20),
            ("max_messages", self.max_messages, 1_000_000),
            ("max_requests", self.max_requests, 65_536),
            ("max_in_flight", self.max_in_flight, 4 << 30),
            ("max_connections", self.max_connections, 65_536),
        ] {
            if value == 0 || value > most {
                return Err(format!("`{name}` is {value}: let it be 1 to {most}").into());
            }
        }
        if self.max_in_flight < least_memory(self.max_body) {
            let (memory, body, least) = (self.max_in_flight, self.max_body, least_memory(self.max_body));
            let why = "or no message of that size is ever taken";
            return Err(format!(
                "`max_in_flight` is {memory}, and `max_body` {body}: let it be at least {least}, {why}"
            )
            .into());
        }
        for (name, time) in
            [("header_timeout", self.header_timeout), ("body_timeout", self.body_timeout), ("patience", self.patience)]
        {
            if !(Duration::from_millis(10)..=Duration::from_secs(3600)).contains(&time.duration()) {
                return Err(format!("`{name}` is {time}: let it be 10ms to 1h").into());
            }
        }
        Ok(Wanted {
            address,
            path: self.path,
            topic: self.topic,
            token_file: self.token_file,
            max_body: self.max_body,
            max_messages: self.max_messages,
            max_requests: self.max_requests,
            max_in_flight: self.max_in_flight,
            max_connections: self.max_connections,
            header_timeout: self.header_timeout.duration(),
            body_timeout: self.body_timeout.duration(),
            patience: self.patience.duration(),
        })
    }
}

/// What a message needs whose body has so many bytes: as it was sent, and as it is taken.
const fn least_memory(body: usize) -> usize {
    2 * body + 2048
}

#[cfg(test)]
mod tests {
    use hookrail_abi::Configuration;

    use super::*;

    #[test]
    fn mistakes_are_reported() {
        for (config, said) in [
            (r#"{"address": "localhost:80"}"#, "`address` is \"localhost:80\": let it be an IP address and a port"),
            (r#"{"address": "127.0.0.1"}"#, "`address`"),
            (r#"{"path": "in"}"#, "`path` is \"in\""),
            (r#"{"path": "/a?b"}"#, "`path`"),
            (r#"{"topic": "a..b"}"#, "`topic` is \"a..b\""),
            (r#"{"token_file": "/no/such"}"#, "`token_file`: /no/such: No such file"),
            (r#"{"max_body": 0}"#, "`max_body` is 0: let it be 1 to 268435456"),
            (r#"{"max_requests": 70000}"#, "`max_requests` is 70000"),
            (r#"{"max_in_flight": 1000}"#, "`max_body` 8388608: let it be at least 16779264"),
            (r#"{"patience": "0s"}"#, "`patience` is 0s: let it be 10ms to 1h"),
            (r#"{"body_timeout": "2h"}"#, "`body_timeout` is 2h"),
            (r#"{"port": 80}"#, "unknown field `port`"),
        ] {
            let error = Config::from_json(config).and_then(|config| config.wanted().map(drop)).unwrap_err().to_string();
            assert!(error.contains(said), "{config}: {error}");
        }
        let wanted = Config::from_json("{}").unwrap().wanted().unwrap();
        assert!(wanted.address.ip().is_loopback());
    }
}
