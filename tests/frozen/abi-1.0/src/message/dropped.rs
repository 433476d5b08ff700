//! A message that reached no sink: the payload of `message.dropped`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::id::now;
use super::{Message, json};
use crate::{Payload, Text};

/// A message that reached no sink, and why.
///
/// As JSON: `kind` is the kind's name, and `timestamp` RFC 3339 with nine fractional digits. As MessagePack: its
/// fields.
#[repr(C)]
#[derive(Payload, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// The message as the chain left it, or without its content, which a host may withhold: then it has a header `hookrail-withheld`.
    pub message: Message,
    /// The callback that denied, as `instance/callback`; empty if no callback did.
    pub decided_by: Text,
    /// The code of the verdict, 24 bits; 0 if there was none.
    pub code: u32,
    /// A [`DropKind`].
    #[serde(with = "kind")]
    kind: u32,
    /// Why, in words; may be empty.
    pub reason: Text,
    /// When the message was dropped, in nanoseconds since the Unix epoch.
    #[serde(with = "json::time")]
    pub timestamp: u64,
    /// Reserved for the host; leave them as they are.
    #[serde(skip)]
    reserved: [u64; 4],
}

/// What kept a message from its sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum DropKind {
    /// Something that is newer than this crate.
    Unknown = 0,
    /// A callback denied it.
    Denied = 1,
    /// It was too old.
    Expired = 2,
    /// A callback failed, or what should have taken the message did.
    Fault = 3,
    /// A queue was full.
    Full = 4,
    /// The host shut down.
    Shutdown = 5,
    /// Another message with the same key took its place in a queue.
    Replaced = 6,
    /// No sink wanted it.
    Unrouted = 7,
}

impl Dropped {
    /// A message that was dropped now; the other fields are empty.
    pub fn new(message: Message, kind: DropKind) -> Self {
        let (decided_by, reason) = (Text::new(), Text::new());
        Dropped { message, decided_by, code: 0, kind: kind as u32, reason, timestamp: now(), reserved: [0; 4] }
    }

    /// A message that a callback denied now.
    pub fn denied(message: Message, by: impl Into<Text>, code: u32, reason: impl Into<Text>) -> Self {
        Dropped { decided_by: by.into(), code, reason: reason.into(), ..Dropped::new(message, DropKind::Denied) }
    }

    /// Takes the headers and the body out of the message; the header [`WITHHELD`](Self::WITHHELD) in their place says
    /// how many bytes the body had.
    ///
    /// Callbacks that come after the one that denied a message have not seen it, and might have masked something in it.
    /// So `hookrail run` does this, unless its operator wants dropped messages as they are.
    pub fn withhold(&mut self) {
        let Message { headers, body, .. } = &mut self.message;
        headers.clear();
        let length = body.len().to_string();
        body.set(b"");
        self.message.add_header(Self::WITHHELD, &length);
    }

    /// The header of a message whose content is withheld; its value is the number of bytes that the body had.
    pub const WITHHELD: &str = "hookrail-withheld";

    /// What kept it from its sink.
    pub fn kind(&self) -> DropKind {
        DropKind::ALL.into_iter().find(|kind| *kind as u32 == self.kind).unwrap_or(DropKind::Unknown)
    }
}

impl DropKind {
    const ALL: [DropKind; 7] = [
        DropKind::Denied,
        DropKind::Expired,
        DropKind::Fault,
        DropKind::Full,
        DropKind::Shutdown,
        DropKind::Replaced,
        DropKind::Unrouted,
    ];

    /// The name: `denied`, `expired`, `fault`, `full`, `shutdown`, `replaced`, `unrouted` or `unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            DropKind::Unknown => "unknown",
            DropKind::Denied => "denied",
            DropKind::Expired => "expired",
            DropKind::Fault => "fault",
            DropKind::Full => "full",
            DropKind::Shutdown => "shutdown",
            DropKind::Replaced => "replaced",
            DropKind::Unrouted => "unrouted",
        }
    }
}

/// A kind by name for people, by number for machines.
mod kind {
    use super::*;

    pub(super) fn serialize<S: Serializer>(kind: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return kind.serialize(serializer);
        }
        let known = DropKind::ALL.into_iter().find(|known| *known as u32 == *kind);
        known.unwrap_or(DropKind::Unknown).name().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        if !deserializer.is_human_readable() {
            return u32::deserialize(deserializer);
        }
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let known = DropKind::ALL.into_iter().find(|known| known.name() == name);
        Ok(known.unwrap_or(DropKind::Unknown) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_message_is_the_same_for_people_and_for_machines() {
        let message = Message::new("a.topic", "a body");
        let mut dropped = Dropped::denied(message, "quota/limit", 429, "too many");
        dropped.timestamp = 1_700_000_000_123_456_789;
        let json = serde_json::to_value(&dropped).unwrap();
        assert_eq!((&json["kind"], &json["code"]), (&"denied".into(), &429.into()));
        assert_eq!(json["timestamp"], "2023-11-14T22:13:20.123456789Z");
        assert_eq!(json.get("reserved"), None);
        assert_eq!(serde_json::from_value::<Dropped>(json).unwrap(), dropped);
        let packed = rmp_serde::to_vec_named(&dropped).unwrap();
        assert_eq!(rmp_serde::from_slice::<Dropped>(&packed).unwrap(), dropped);
    }

    #[test]
    fn a_message_that_is_withheld_keeps_its_envelope_only() {
        let mut message = Message::new("a.topic", "a secret");
        message.source.set("stdin");
        message.add_header("authorization", "a secret");
        let mut dropped = Dropped::denied(message.clone(), "quota/limit", 429, "too many");
        dropped.withhold();
        let left = &dropped.message;
        assert_eq!((left.id, left.timestamp), (message.id, message.timestamp));
        assert_eq!((&*left.topic, &*left.source), ("a.topic", "stdin"));
        assert_eq!((left.header(Dropped::WITHHELD), left.headers.len(), left.body.len()), (Some("8"), 1, 0));
    }

    #[test]
    fn a_kind_that_is_newer_is_unknown_and_kept_for_machines() {
        let newer = Dropped { kind: 77, ..Dropped::new(Message::empty(), DropKind::Full) };
        assert_eq!(newer.kind(), DropKind::Unknown);
        let packed = rmp_serde::to_vec_named(&newer).unwrap();
        assert_eq!(rmp_serde::from_slice::<Dropped>(&packed).unwrap().kind, 77);
        let json = serde_json::to_string(&newer).unwrap().replace("unknown", "newer");
        assert_eq!(serde_json::from_str::<Dropped>(&json).unwrap().kind(), DropKind::Unknown);
    }

    #[test]
    fn the_layout_is_that_of_abi_1_0() {
        use std::mem::offset_of;
        let Dropped { message: _, decided_by: _, code: _, kind: _, reason: _, timestamp: _, reserved: _ } =
            Dropped::new(Message::empty(), DropKind::Full);
        assert_eq!(size_of::<Dropped>(), 256);
        assert_eq!(offset_of!(Dropped, message), 0);
        assert_eq!(offset_of!(Dropped, decided_by), 160);
        assert_eq!(offset_of!(Dropped, code), 184);
        assert_eq!(offset_of!(Dropped, kind), 188);
        assert_eq!(offset_of!(Dropped, reason), 192);
        assert_eq!(offset_of!(Dropped, timestamp), 216);
        assert_eq!(offset_of!(Dropped, reserved), 224);
    }
}
