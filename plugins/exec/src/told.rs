//! What an operator is told: the lines of its stdin.

use std::path::Path;

use hookrail_abi::Message;
use hookrail_abi::serde::Serialize;
use serde_json::{Map, Value, json};

/// The version of the protocol.
pub(crate) const PROTOCOL: u64 = 1;

/// The first line.
pub(crate) struct Hello<'a> {
    pub(crate) operator: &'a str,
    pub(crate) config: &'a Map<String, Value>,
    pub(crate) state: &'a Path,
    pub(crate) ephemeral: &'a Path,
    pub(crate) max_line: usize,
}

impl Hello<'_> {
    pub(crate) fn line(&self) -> Vec<u8> {
        line(&json!({
            "type": "hello",
            "protocol": PROTOCOL,
            "operator": self.operator,
            "config": self.config,
            "directories": { "state": self.state, "ephemeral": self.ephemeral },
            "max_line": self.max_line,
        }))
    }
}

/// A message, with the number that an answer for it has.
pub(crate) fn message(id: u64, message: &Message) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(crate = "hookrail_abi::serde")]
    struct Delivered<'a> {
        r#type: &'static str,
        id: u64,
        message: &'a Message,
    }
    line(&Delivered { r#type: "message", id, message })
}

/// The stream has taken the message that was published with this `id`.
pub(crate) fn published(id: &Value) -> Vec<u8> {
    line(&json!({ "type": "published", "id": id }))
}

/// What needs no more than its type.
pub(crate) fn bare(kind: &str) -> Vec<u8> {
    line(&json!({ "type": kind }))
}

pub(crate) fn reload(config: &Map<String, Value>) -> Vec<u8> {
    line(&json!({ "type": "reload", "config": config }))
}

/// What came of a configuration that the operator wanted to be kept.
pub(crate) fn config_kept(kept: Result<(), String>) -> Vec<u8> {
    match kept {
        Ok(()) => bare("config_stored"),
        Err(reason) => line(&json!({ "type": "config_refused", "reason": reason })),
    }
}

fn line(what: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(what).expect("what is told has no map with other keys than texts");
    line.push(b'\n');
    line
}
