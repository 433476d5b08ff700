//! The JSON form of the management commands: one line each way.
//!
//! The host speaks first, and says which protocol it speaks:
//!
//! ```text
//! {"protocol":1,"version":"1.0.0"}
//! ```
//!
//! A request is an object in one line; `id` is any number, and comes back with the answer. `params` may be left out
//! where a command has none:
//!
//! ```text
//! {"id":1,"command":"replace","params":{"plugin":"mask","file":"/opt/libhookrail_mask.so","fresh":false}}
//! ```
//!
//! An answer is also one line, with either `ok` or `error`:
//!
//! ```text
//! {"id":1,"ok":{"plugin":"mask","generation":2,"version":"1.0.0", ...}}
//! {"id":1,"error":{"code":"HR0103","message":"no plugin named `mask` is loaded","fix":"...","retryable":false}}
//! ```
//!
//! After the answer to `events`, the connection carries [`StreamItem`] lines and nothing else:
//!
//! ```text
//! {"id":1,"ok":null}
//! {"event":{"plugin":"mask","generation":2,"time":"2026-11-27T02:10:00.000000000Z","event":"stopped"}}
//! {"dropped":7}
//! ```
//!
//! A reader leaves out fields and lines of a kind that it does not know: a newer host may send them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::command::Command;
use crate::constructors;
use crate::event::Event;
use crate::retryable::is_retryable;

/// The protocol that this module describes. It grows by fields and kinds; another number is another protocol.
pub const PROTOCOL: u32 = 1;

/// The longest line that a host reads, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// The longest line that a client reads, in bytes: a thousand traces of large payloads, and no more.
pub const MAX_ANSWER: usize = 1 << 28;

/// What a host says first on a connection, before it is asked anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Greeting {
    /// The protocol that it speaks.
    pub protocol: u32,
    /// The version of Hookrail in it.
    pub version: String,
}

impl Greeting {
    /// That of this version.
    pub fn here() -> Self {
        Greeting { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// A request on its way out: a command with its number.
#[derive(Clone, Debug, Serialize)]
struct Request<'a, C> {
    id: u64,
    command: &'static str,
    params: &'a C,
}

/// A request that came in. Whether there is such a command, and whether the parameters are its fields, is found out
/// where it is carried out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RawRequest {
    /// The number that comes back with the answer.
    pub id: u64,
    /// The command's [`NAME`](Command::NAME).
    pub command: String,
    /// The command's fields.
    pub params: Map<String, Value>,
}

/// A line that is not a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidRequest {
    /// Its number, if it has one nevertheless.
    pub id: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

/// An answer: the number of its request, and the reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The number of the request; `None` if it could not be read.
    pub id: Option<u64>,
    /// The reply.
    #[serde(flatten)]
    pub reply: Reply,
}

/// The reply to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// It succeeded; each [`Command`] states what it returns.
    Ok(Value),
    /// It failed.
    Error(Problem),
}

/// An error, as it crosses the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The next step.
    pub fix: String,
    /// Whether the same request may succeed in a moment, without anybody changing anything.
    #[serde(default)]
    pub retryable: bool,
}

impl Problem {
    /// An error with this code; the code says whether it is retryable.
    pub fn new(code: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let code = code.into();
        let retryable = is_retryable(&code);
        Problem { code, message: message.into(), fix: fix.into(), retryable }
    }
}

/// What is told after the answer to [`Events`](crate::command::Events).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StreamItem {
    /// The total number of events dropped so far because they were not read in time.
    Dropped(u64),
    /// An event.
    Event(Event),
    /// What a newer host says; this one never does.
    Unknown,
}

impl<'de> Deserialize<'de> for StreamItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            dropped: Option<u64>,
            event: Option<Event>,
        }
        let Fields { dropped, event } = Fields::deserialize(deserializer)?;
        Ok(match (event, dropped) {
            (Some(event), _) => StreamItem::Event(event),
            (None, Some(count)) => StreamItem::Dropped(count),
            (None, None) => StreamItem::Unknown,
        })
    }
}

constructors! {
    /// The answer to a request.
    Answer(id: Option<u64>, reply: Reply)
}

impl RawRequest {
    /// Reads a line.
    ///
    /// # Errors
    /// If the line is not a request.
    pub fn read(line: &[u8]) -> Result<Self, InvalidRequest> {
        let bad = |id, why: &str| InvalidRequest { id, why: why.into() };
        let mut fields: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| bad(None, &error.to_string()))?;
        let id = fields.remove("id").as_ref().and_then(Value::as_u64);
        let id = id.ok_or_else(|| bad(None, "`id` is not a number from 0 on"))?;
        let command = match fields.remove("command") {
            Some(Value::String(command)) => command,
            Some(_) => return Err(bad(Some(id), "`command` is not text")),
            None => return Err(bad(Some(id), "missing field `command`")),
        };
        let params = match fields.remove("params") {
            Some(Value::Object(params)) => params,
            None => Map::new(),
            Some(_) => return Err(bad(Some(id), "`params` is not an object")),
        };
        match fields.keys().next() {
            None => Ok(RawRequest { id, command, params }),
            Some(other) => {
                let other = other.escape_debug();
                Err(bad(Some(id), &format!("unknown field `{other}`: a request has `id`, `command` and `params`")))
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Writes a command with its number as a line.
///
/// # Errors
/// If the command has no JSON form, such as a path that is not UTF-8.
pub fn request<C: Command>(id: u64, command: &C) -> Result<Vec<u8>, serde_json::Error> {
    line(&Request { id, command: C::NAME, params: command })
}

/// Reads a command from its fields.
///
/// # Errors
/// If the fields are not those of the command: the text says why.
pub fn command<C: Command>(fields: Map<String, Value>) -> Result<C, serde_json::Error> {
    // From the fields, not from the text: positions would refer to a different text.
    C::deserialize(Value::Object(fields))
}

/// Writes a value as a line.
///
/// # Errors
/// If the value has no JSON form.
pub fn line(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
