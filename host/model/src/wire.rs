//! The JSON form of the management commands: one line each way.
//!
//! A request is an object on one line; `id` is any number, and comes back with the answer:
//!
//! ```text
//! {"id":1,"command":"upgrade","plugin":"mask","file":"/opt/libhookrail_mask.so","fresh":false}
//! ```
//!
//! An answer is also one line, with either `ok` or `error`:
//!
//! ```text
//! {"id":1,"ok":{"plugin":"mask","generation":2,"version":"1.0.0", ...}}
//! {"id":1,"error":{"code":"HR0103","message":"no plugin named `mask` is loaded","fix":"..."}}
//! ```
//!
//! After the answer to `events`, the connection carries [`StreamItem`] lines and nothing else:
//!
//! ```text
//! {"id":1,"ok":null}
//! {"event":{"plugin":"mask","generation":2,"time":1760000000000000000,"event":"stopped"}}
//! {"dropped":7}
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::Command;
use crate::event::Event;

/// The longest line that a host reads, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// An outgoing request: a command with its number.
#[derive(Clone, Debug, Serialize)]
struct Request<'a, C> {
    id: u64,
    command: &'static str,
    #[serde(flatten)]
    fields: &'a C,
}

/// An incoming request. Whether there is such a command, and whether the fields are its own, is checked where it is
/// executed.
#[derive(Clone, Debug, PartialEq)]
pub struct RawRequest {
    /// The number that comes back with the answer.
    pub id: u64,
    /// The command's [`NAME`](Command::NAME).
    pub command: String,
    /// The command's fields.
    pub fields: Map<String, Value>,
}

/// A line that is not a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRequest {
    /// Its number, if it has one nevertheless.
    pub id: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

/// An answer: the number of its request, and the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the request; `None` if it could not be read.
    pub id: Option<u64>,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It succeeded; each [`Command`] states what it returns.
    Ok(Value),
    /// It failed.
    Error(Problem),
}

/// An error, as it crosses the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The next step.
    pub fix: String,
}

/// A line after the answer to [`Events`](crate::command::Events).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamItem {
    /// The total number of events dropped so far because they were not read in time.
    Dropped(u64),
    /// An event.
    Event(Event),
}

impl RawRequest {
    /// Reads a line.
    ///
    /// # Errors
    /// If the line is not a request.
    pub fn read(line: &[u8]) -> Result<Self, NoRequest> {
        let bad = |id, why: &str| NoRequest { id, why: why.into() };
        let mut fields: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| bad(None, &error.to_string()))?;
        let id = fields.remove("id").as_ref().and_then(Value::as_u64);
        let id = id.ok_or_else(|| bad(None, "`id` is no number from 0 on"))?;
        match fields.remove("command") {
            Some(Value::String(command)) => Ok(RawRequest { id, command, fields }),
            Some(_) => Err(bad(Some(id), "`command` is no text")),
            None => Err(bad(Some(id), "missing field `command`")),
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
    line(&Request { id, command: C::NAME, fields: command })
}

/// Reads a command from its fields.
///
/// # Errors
/// If the fields are not those of the command: the text says why.
pub fn command<C: Command>(fields: Map<String, Value>) -> Result<C, String> {
    // From the fields, not from the text: positions would refer to a different text.
    C::deserialize(Value::Object(fields)).map_err(|error| error.to_string())
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
mod tests;
