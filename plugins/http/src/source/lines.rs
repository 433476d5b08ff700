//! The messages of a body.

use std::fmt;

use hookrail_abi::MessageId;
use hookrail_abi::prelude::*;
use hookrail_abi::serde::Deserialize;
use hookrail_abi::serde::de::{IgnoredAny, MapAccess, Visitor};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use tokio::task::yield_now;

use super::answer::Refusal;
use super::budget::Held;
use super::filled::{Filled, Spares};
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
    /// When they came, in nanoseconds since the Unix epoch: one look at the clock is enough for a request.
    pub(crate) now: u64,
    /// The most messages.
    pub(crate) most: usize,
    /// The most bytes of the body of one.
    pub(crate) most_body: usize,
}

/// The most headers of a message, and the most bytes of its source, its topic and its headers together.
const MOST_HEADERS: usize = 1024;
const MOST_AROUND: usize = 64 << 10;

/// JSON needs up to six bytes for one, and more for what stands around the body: so whatever is taken can be passed on as
/// JSON to a source with the same bounds, also with some headers more.
const GROWTH: usize = 6;
const AROUND: usize = 1 << 20;

/// How many bytes are read as JSON before others have their turn.
const STEP: usize = 64 << 10;

impl Shape {
    /// # Errors
    /// If the type cannot be read, or says that it is text that is no UTF-8.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let refused = |why: &str| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Shape::Body) };
        let text = value.to_str().map_err(|_| refused("`Content-Type` is not ASCII"))?.to_ascii_lowercase();
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
            Some(_) => Err(refused("JSON is UTF-8: let `charset` be that")),
        }
    }

    /// The most bytes of a request, if the body of a message may have `most`.
    pub(crate) fn most(self, most: usize) -> usize {
        if self == Shape::Body { most } else { GROWTH * most + AROUND }
    }

    /// All messages of a body, which `held` has room for; if one is wrong, none.
    ///
    /// # Errors
    /// Which line is wrong, and why, or that they are too many or too large.
    pub(crate) async fn messages(
        self,
        body: Vec<u8>,
        given: Given<'_>,
        held: &mut Held,
        spares: &Spares,
    ) -> Result<Filled, Refusal> {
        let messages = spares.take(body.len(), held);
        let mut taken = Taken { given, held, messages, since: 0 };
        match self {
            Shape::Body => taken.body(&body)?,
            Shape::Lines => taken.lines(text(&body)?).await?,
            Shape::Objects => taken.objects(text(&body)?).await?,
        }
        let Taken { messages, .. } = taken;
        held.free(body);
        Ok(messages)
    }
}

/// The messages so far.
struct Taken<'a> {
    given: Given<'a>,
    held: &'a mut Held,
    messages: Filled,
    /// How many bytes were read since others had their turn.
    since: usize,
}

impl Taken<'_> {
    fn body(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let fill = |message: &mut Message| {
            self.given.fill(message, body);
            Ok(())
        };
        self.messages.add(self.held, self.given.most, fill)
    }

    async fn lines(&mut self, text: &str) -> Result<(), Refusal> {
        for (number, line) in (1..).zip(text.split('\n')) {
            match line.trim_matches([' ', '\t', '\r']) {
                "" => {}
                object => self.object(number, object)?,
            }
            self.turn(line.len() + 1).await;
        }
        Ok(())
    }

    async fn objects(&mut self, text: &str) -> Result<(), Refusal> {
        let mut objects = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let (mut line, mut counted) = (1, 0);
        loop {
            // Each newline is counted once.
            let at = objects.byte_offset();
            line += newlines(&text[counted..at]);
            self.turn(at - counted).await;
            counted = at;
            let Some(object) = objects.next() else { return Ok(()) };
            let first = line + newlines(&text[at..at + blanks(&text[at..])]);
            match object {
                Ok(object) => self.object(first, object.get())?,
                Err(error) => return Err(Refusal::bad_line(error.line(), &without_place(&error))),
            }
        }
    }

    fn object(&mut self, number: usize, object: &str) -> Result<(), Refusal> {
        if self.messages.len() == self.given.most {
            return Err(Refusal::too_large(format!("more than {} messages: send them in parts", self.given.most)));
        }
        let given = self.given;
        let fill = |message: &mut Message| {
            given.object(message, object).map_err(|why| Refusal::bad_line(number, &why))?;
            given.check(message).map_err(|why| Refusal::large_line(number, &why))
        };
        self.messages.add(self.held, given.most, fill)
    }

    /// So many bytes were read: others may have their turn.
    async fn turn(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= STEP {
            self.since = 0;
            yield_now().await;
        }
    }
}

fn text(body: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(body)
        .map_err(|error| Refusal::bad_line(1 + newlines_of(&body[..error.valid_up_to()]), "it is not UTF-8"))
}

fn newlines(text: &str) -> usize {
    newlines_of(text.as_bytes())
}

fn newlines_of(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

impl Given<'_> {
    fn fill(&self, message: &mut Message, body: &[u8]) {
        (message.id, message.timestamp) = (MessageId::at(self.now), self.now);
        message.topic.set(self.topic);
        message.source.set(self.source);
        message.body.set(body);
    }

    /// A message as JSON, or another object, which is the body of one.
    fn object(&self, message: &mut Message, object: &str) -> Result<(), String> {
        let Fields { is_message, headers } = serde_json::from_str(object).map_err(|error| without_place(&error))?;
        if !is_message {
            self.fill(message, object.as_bytes());
            return Ok(());
        }
        // In eight bytes there is one, which needs a hundred.
        if headers > MOST_HEADERS {
            return Err(format!("it has more than {MOST_HEADERS} headers"));
        }
        *message = serde_json::from_str(object).map_err(|error| without_place(&error))?;
        // They are the host's.
        message.flags = 0;
        if message.topic.is_empty() {
            message.topic.set(self.topic);
        }
        topic::check_own(message.topic.as_str())?;
        if message.source.is_empty() {
            message.source.set(self.source);
        }
        Ok(())
    }

    /// Whether a message is as small as it must be.
    fn check(&self, message: &Message) -> Result<(), String> {
        if message.body.len() > self.most_body {
            return Err(format!("its body has more than {} bytes", self.most_body));
        }
        let headers = message.headers.iter().map(|header| header.key.len() + header.value.len());
        if message.topic.len() + message.source.len() + headers.sum::<usize>() > MOST_AROUND {
            return Err(format!("its headers and its source have more than {MOST_AROUND} bytes"));
        }
        Ok(())
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
    /// How many headers it has.
    headers: usize,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: hookrail_abi::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Look)
    }
}

/// The fields of a message as JSON, and any other.
#[derive(PartialEq, Deserialize)]
#[serde(crate = "hookrail_abi::serde", field_identifier, rename_all = "snake_case")]
enum Field {
    Body,
    BodyBase64,
    Flags,
    Headers,
    Id,
    Source,
    Timestamp,
    Topic,
    #[serde(other)]
    Unknown,
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let (mut is_known, mut has_body, mut headers) = (true, false, 0);
        while let Some(field) = map.next_key()? {
            is_known &= field != Field::Unknown;
            has_body |= matches!(field, Field::Body | Field::BodyBase64);
            if field == Field::Headers {
                // A list of nothings needs no memory. What is no list is refused when the message is read.
                let list = map.next_value::<&RawValue>()?;
                headers += serde_json::from_str::<Vec<IgnoredAny>>(list.get()).map_or(0, |list| list.len());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Fields { is_message: is_known && has_body, headers })
    }
}

#[cfg(test)]
mod tests;
