//! A message as JSON, for people, and as MessagePack, for machines.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Header, Message, MessageId};
use crate::{Bytes, List, Text};

/// The JSON form, which people read and write. Everything but the body may be left out; an unknown field is refused,
/// since dropping it would lose data.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Human<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<MessageId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    timestamp: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    flags: u64,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    source: Cow<'a, str>,
    #[serde(borrow, default)]
    topic: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<Cow<'a, str>>,
}

fn is_zero(flags: &u64) -> bool {
    *flags == 0
}

/// The MessagePack form, which machines exchange, by field name.
#[derive(Serialize, Deserialize)]
struct Machine<'a> {
    id: MessageId,
    timestamp: u64,
    flags: u64,
    source: Cow<'a, Text>,
    topic: Cow<'a, Text>,
    headers: Cow<'a, List<Header>>,
    body: Cow<'a, Bytes>,
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return Machine {
                id: self.id,
                timestamp: self.timestamp,
                flags: self.flags,
                source: Cow::Borrowed(&self.source),
                topic: Cow::Borrowed(&self.topic),
                headers: Cow::Borrowed(&self.headers),
                body: Cow::Borrowed(&self.body),
            }
            .serialize(serializer);
        }
        let text = std::str::from_utf8(&self.body).ok();
        Human {
            id: Some(self.id),
            timestamp: Some(show_time(self.timestamp).into()),
            flags: self.flags,
            source: self.source.as_str().into(),
            topic: self.topic.as_str().into(),
            headers: self
                .headers
                .iter()
                .map(|header| (header.key.as_str().into(), header.value.as_str().into()))
                .collect(),
            body: text.map(Cow::Borrowed),
            body_base64: if text.is_none() { Some(BASE64_STANDARD.encode(&**self.body).into()) } else { None },
        }
        .serialize(serializer)
    }
}

/// Reads the JSON form from an object only; from a derived type, an array would do too, which holds the fields by their
/// order.
struct OfObject;

impl<'de> Visitor<'de> for OfObject {
    type Value = Human<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Human<'de>, A::Error> {
        Human::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let machine = Machine::deserialize(deserializer)?;
            return Ok(Message {
                id: machine.id,
                timestamp: machine.timestamp,
                flags: machine.flags,
                source: machine.source.into_owned(),
                topic: machine.topic.into_owned(),
                headers: machine.headers.into_owned(),
                body: machine.body.into_owned(),
                ..Message::empty()
            });
        }
        let human = deserializer.deserialize_map(OfObject)?;
        let body = match (human.body, human.body_base64) {
            (Some(body), None) => body.as_bytes().into(),
            (None, Some(body)) => BASE64_STANDARD
                .decode(&*body)
                .map_err(|error| D::Error::custom(format!("`body_base64` is no base64: {error}")))?
                .into(),
            (None, None) => return Err(D::Error::missing_field("body")),
            (Some(_), Some(_)) => return Err(D::Error::custom("`body` and `body_base64` exclude each other")),
        };
        let (fresh, now) = MessageId::now();
        let timestamp = match human.timestamp {
            Some(text) => parse_time(&text).map_err(D::Error::custom)?,
            None => now,
        };
        Ok(Message {
            id: human.id.unwrap_or(fresh),
            timestamp,
            flags: human.flags,
            source: human.source.into(),
            topic: human.topic.into(),
            headers: human
                .headers
                .into_iter()
                .map(|(key, value)| Header { key: key.into(), value: value.into() })
                .collect(),
            body,
            ..Message::empty()
        })
    }
}

/// A number of nanoseconds since the Unix epoch: RFC 3339 for people, the number for machines.
pub(super) mod time {
    use super::*;

    pub(in crate::message) fn serialize<S: Serializer>(time: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { show_time(*time).serialize(serializer) } else { time.serialize(serializer) }
    }

    pub(in crate::message) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer);
        }
        parse_time(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn show_time(time: u64) -> String {
    humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_nanos(time)).to_string()
}

fn parse_time(text: &str) -> Result<u64, String> {
    let refused = |why: &dyn std::fmt::Display| format!("`timestamp` is no RFC 3339 time in UTC: {why}");
    let time = humantime::parse_rfc3339(text).map_err(|error| refused(&error))?;
    let since = time.duration_since(UNIX_EPOCH).map_err(|_| refused(&"it is before 1970"))?;
    u64::try_from(since.as_nanos()).map_err(|_| refused(&"it is after 2554"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(body: &[u8]) -> Message {
        let mut message = Message::new("log.app", body);
        message.timestamp = 1_700_000_000_123_456_789;
        message.source.set("stdin");
        message.add_header("k", "1");
        message.add_header("k", "2");
        message
    }

    #[test]
    fn json_is_for_people_and_loses_nothing() {
        let message = sample(b"hi \"you\"");
        let json = serde_json::to_value(&message).unwrap();
        assert_eq!(json["timestamp"], "2023-11-14T22:13:20.123456789Z");
        assert_eq!(json["headers"], serde_json::json!([["k", "1"], ["k", "2"]]));
        assert_eq!(json["body"], "hi \"you\"");
        assert_eq!(serde_json::from_value::<Message>(json).unwrap(), message);
    }

    #[test]
    fn a_body_that_is_no_text_is_base64() {
        let message = sample(&[0xff, 0]);
        let json = serde_json::to_string(&message).unwrap();
        assert!(json.contains("\"body_base64\":\"/wA=\""), "{json}");
        assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
    }

    #[test]
    fn messagepack_carries_the_same() {
        let message = sample(&[0xff, 0]);
        let packed = rmp_serde::to_vec_named(&message).unwrap();
        assert_eq!(rmp_serde::from_slice::<Message>(&packed).unwrap(), message);
    }

    #[test]
    fn mistakes_are_reported() {
        for (json, said) in [
            ("{}", "missing field `body`"),
            (r#"{"body":"a","body_base64":"YQ=="}"#, "exclude each other"),
            (r#"{"body":"a","level":"info"}"#, "unknown field `level`"),
            (r#"{"body":"a","timestamp":"yesterday"}"#, "no RFC 3339 time"),
            (r#"{"body_base64":"?"}"#, "no base64"),
            ("[]", "invalid type: sequence, expected a message as an object"),
            (r#"[null,null,0,"stdin","log",[],"hi",null]"#, "invalid type: sequence"),
            (r#"[{"body":"hi"}]"#, "invalid type: sequence"),
            ("null", "expected a message as an object"),
        ] {
            let error = serde_json::from_str::<Message>(json).unwrap_err().to_string();
            assert!(error.contains(said), "{json}: {error}");
        }
    }
}
