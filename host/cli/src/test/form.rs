//! The form of a file of tests.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookrail::Message;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

/// A file of tests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// The pipeline of cases that name none.
    pub(super) pipeline: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) cases: Vec<Spanned<Case>>,
}

/// Messages, and what is expected of each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: Spanned<String>,
    /// Whose routing decides; without one, the chain alone does.
    pub(super) pipeline: Option<Spanned<String>>,
    /// The topic of messages that have none.
    #[serde(default = "topic")]
    pub(super) topic: String,
    #[serde(default)]
    pub(super) messages: Vec<Given>,
    /// A message for each line.
    pub(super) lines: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) expect: Vec<Spanned<Expected>>,
}

fn topic() -> String {
    "log".into()
}

/// A message: its body, or a table.
#[derive(Clone)]
pub(super) struct Given {
    topic: Option<String>,
    source: String,
    headers: Headers,
    body: Vec<u8>,
}

/// What is expected of a message: its body, or a table, of which only what is there is compared.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) body: Option<Vec<u8>>,
    pub(super) topic: Option<String>,
    /// The message has these, among others.
    pub(super) headers: Headers,
    /// Exactly these sinks get it.
    pub(super) sinks: Option<Vec<Spanned<String>>>,
    /// It is dropped, for that reason.
    pub(super) dropped: Option<Dropped>,
    /// The callback that denies it.
    pub(super) by: Option<String>,
    /// Why, in the words of that callback.
    pub(super) reason: Option<String>,
    pub(super) code: Option<u32>,
}

/// Why a message reaches no sink, before it is in any queue.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dropped {
    Denied,
    Unrouted,
}

/// Names and values: a table, or pairs where a name is repeated.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "AnyHeaders")]
pub(super) struct Headers(pub(super) Vec<(String, String)>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected headers: a table of texts, or an array of pairs of texts")]
enum AnyHeaders {
    Pairs(Vec<(String, String)>),
    Table(BTreeMap<String, String>),
}

impl From<AnyHeaders> for Headers {
    fn from(any: AnyHeaders) -> Self {
        Headers(match any {
            AnyHeaders::Pairs(pairs) => pairs,
            AnyHeaders::Table(table) => table.into_iter().collect(),
        })
    }
}

impl Given {
    pub(super) fn line(body: &str) -> Self {
        Given { topic: None, source: String::new(), headers: Headers::default(), body: body.into() }
    }

    /// The message; `topic` is that of messages that have none.
    pub(super) fn message(&self, topic: &str) -> Message {
        let mut message = Message::new(self.topic.as_deref().unwrap_or(topic), &*self.body);
        message.source.set(if self.source.is_empty() { "test" } else { &self.source });
        self.headers.0.iter().for_each(|(key, value)| message.add_header(key, value));
        message
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Envelope {
            topic: Option<String>,
            #[serde(default)]
            source: String,
            #[serde(default)]
            headers: Headers,
            body: Option<String>,
            body_base64: Option<String>,
        }
        let table = |Envelope { topic, source, headers, body, body_base64 }| {
            let body = bytes(body, body_base64)?.ok_or("has no `body`, and no `body_base64`")?;
            Ok(Given { topic, source, headers, body })
        };
        from.deserialize_any(TextOr { text: Given::line, table })
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            body: Option<String>,
            body_base64: Option<String>,
            topic: Option<String>,
            #[serde(default)]
            headers: Headers,
            sinks: Option<Vec<Spanned<String>>>,
            dropped: Option<Dropped>,
            by: Option<String>,
            reason: Option<String>,
            code: Option<u32>,
        }
        let table = |Table { body, body_base64, topic, headers, sinks, dropped, by, reason, code }| {
            let is_of_denial = by.is_some() || reason.is_some() || code.is_some();
            if dropped != Some(Dropped::Denied) && is_of_denial {
                return Err("`by`, `reason` and `code` say how a message is denied: they need `dropped = \"denied\"`");
            }
            if dropped.is_some() && sinks.is_some() {
                return Err("a message that is dropped has no `sinks`");
            }
            let body = bytes(body, body_base64)?;
            Ok(Expected { body, topic, headers, sinks, dropped, by, reason, code })
        };
        let text = |body: &str| Expected { body: Some(body.into()), ..Expected::default() };
        from.deserialize_any(TextOr { text, table })
    }
}

/// A body, of which at most one form is given.
fn bytes(text: Option<String>, base64: Option<String>) -> Result<Option<Vec<u8>>, &'static str> {
    match (text, base64) {
        (Some(_), Some(_)) => Err("has both `body` and `body_base64`"),
        (Some(text), None) => Ok(Some(text.into())),
        (None, Some(base64)) => STANDARD.decode(base64).map(Some).map_err(|_| "has a `body_base64` that is no base64"),
        (None, None) => Ok(None),
    }
}

/// What is written as a text or as a table.
struct TextOr<Made, Table> {
    text: fn(&str) -> Made,
    table: fn(Table) -> Result<Made, &'static str>,
}

impl<'de, Made, Table: Deserialize<'de>> Visitor<'de> for TextOr<Made, Table> {
    type Value = Made;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Made, E> {
        Ok((self.text)(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Made, A::Error> {
        (self.table)(Table::deserialize(MapAccessDeserializer::new(map))?).map_err(A::Error::custom)
    }
}
