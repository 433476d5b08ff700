//! The messages of a body.

use std::fmt;

use hookrail_abi::prelude::*;
use hookrail_abi::serde::de::{Deserialize, IgnoredAny, MapAccess, Visitor};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use super::answer::Refusal;
use super::topic;

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// It is the body of one message.
    Body,
    /// JSON objects, one per line.
    Lines,
    /// JSON objects, with spaces or newlines, or nothing, between them.
    Objects,
}

/// What messages have that say nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) topic: &'a str,
    /// The address of the client.
    pub(crate) source: &'a str,
    /// The most messages.
    pub(crate) most: usize,
}

/// The fields of a message as JSON.
const FIELDS: [&str; 8] = ["id", "timestamp", "flags", "source", "topic", "headers", "body", "body_base64"];

impl Shape {
    /// # Errors
    /// If the type says that it is text that is no UTF-8.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Shape::Body) };
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let shape = match parts.next() {
            Some("application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/json-lines") => {
                Shape::Lines
            }
            Some("application/json") => Shape::Objects,
            _ => return Ok(Shape::Body),
        };
        let charset = parts.find_map(|part| part.strip_prefix("charset="));
        match charset.map(|charset| charset.trim_matches('"')) {
            None | Some("utf-8" | "utf8" | "us-ascii") => Ok(shape),
            Some(_) => Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON is UTF-8: let `charset` be that")),
        }
    }

    /// All messages of a body; if one is wrong, none.
    ///
    /// # Errors
    /// Which line is wrong, and why, or that they are too many.
    pub(crate) fn messages(self, body: Vec<u8>, given: Given<'_>) -> Result<Vec<Message>, Refusal> {
        if self == Shape::Body {
            return Ok(vec![given.message(&body)]);
        }
        let text = std::str::from_utf8(&body).map_err(|error| {
            let line = 1 + body[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            Refusal::bad_line(line, "it is not UTF-8")
        })?;
        let mut messages = Vec::new();
        let mut add = |number: usize, object: &str| {
            if messages.len() == given.most {
                return Err(Refusal::too_large(format!("more than {} messages: send them in parts", given.most)));
            }
            messages.push(given.object(object).map_err(|why| Refusal::bad_line(number, &why))?);
            Ok(())
        };
        if self == Shape::Lines {
            for (number, line) in (1..).zip(text.split('\n')) {
                match line.trim_matches([' ', '\t', '\r']) {
                    "" => {}
                    object => add(number, object)?,
                }
            }
        } else {
            let mut objects = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
            let (mut line, mut counted) = (1, 0);
            loop {
                // Each newline is counted once.
                let at = objects.byte_offset();
                line += newlines(&text[counted..at]);
                counted = at;
                let Some(object) = objects.next() else { break };
                let first = line + newlines(&text[at..at + blanks(&text[at..])]);
                match object {
                    Ok(object) => add(first, object.get())?,
                    Err(error) => return Err(Refusal::bad_line(error.line(), &without_place(&error))),
                }
            }
        }
        Ok(messages)
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

impl Given<'_> {
    fn message(&self, body: &[u8]) -> Message {
        let mut message = Message::new(self.topic, body);
        message.source.set(self.source);
        message
    }

    /// A message as JSON, or another object, which is the body of one.
    fn object(&self, object: &str) -> Result<Message, String> {
        let Fields { is_message } = serde_json::from_str(object).map_err(|error| without_place(&error))?;
        if !is_message {
            return Ok(self.message(object.as_bytes()));
        }
        let mut message: Message = serde_json::from_str(object).map_err(|error| without_place(&error))?;
        // They are the host's.
        message.flags = 0;
        if message.topic.is_empty() {
            message.topic.set(self.topic);
        }
        topic::check_own(message.topic.as_str())?;
        if message.source.is_empty() {
            message.source.set(self.source);
        }
        Ok(message)
    }
}

/// What went wrong, without the line: that of the body is said besides.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(text) if error.column() > 0 => format!("{text}, at column {}", error.column()),
        Some(text) => text.into(),
        None => text,
    }
}

/// What can be seen from the fields of an object: it is a message if it has the body of one, and no field that messages
/// do not have.
struct Fields {
    is_message: bool,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: hookrail_abi::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let (mut is_known, mut has_body) = (true, false);
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            is_known &= FIELDS.contains(&&*key);
            has_body |= matches!(&*key, "body" | "body_base64");
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Fields { is_message: is_known && has_body })
    }
}

#[cfg(test)]
mod tests;
