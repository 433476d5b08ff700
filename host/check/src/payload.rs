//! Payloads for callbacks, at the points whose payloads this program knows.

use std::ffi::c_void;
use std::ptr::from_mut;

use hookrail_abi::{Dropped, Header, Message, MessageId};

use super::known::{BuiltIn, Known};
use super::random::Random;
use super::raw::{self, Callback, Guarded};

/// What is passed to a callback.
#[derive(Clone, PartialEq)]
enum Payload {
    Dropped(Dropped),
    Message(Message),
}

impl Payload {
    fn new(point: BuiltIn, message: Message) -> Self {
        match point {
            BuiltIn::Delivered | BuiltIn::Publish => Payload::Message(message),
            BuiltIn::Dropped => Payload::Dropped(Dropped::denied(message, "some/callback", 7, "why")),
        }
    }

    fn message(&self) -> &Message {
        match self {
            Payload::Dropped(dropped) => &dropped.message,
            Payload::Message(message) => message,
        }
    }

    fn message_mut(&mut self) -> &mut Message {
        match self {
            Payload::Dropped(dropped) => &mut dropped.message,
            Payload::Message(message) => message,
        }
    }

    fn pointer(&mut self) -> *mut c_void {
        match self {
            Payload::Dropped(dropped) => from_mut(dropped).cast(),
            Payload::Message(message) => from_mut(message).cast(),
        }
    }
}

/// Calls a callback and checks what it returned: with a message, or with a dropped one, whose state it checks as well;
/// or, on a point of the program that checks, with the next payload of that point.
pub(super) fn call(callback: &Callback, known: Known, message: &Message, has_context: bool) -> Result<(), String> {
    match known {
        Known::BuiltIn(point) => call_with(callback, point, message, has_context),
        Known::Own(own) => own.pass(|payload| {
            // SAFETY: it is a payload of the callback's point, and ours alone; its instance is started.
            let (answer, said) = unsafe { callback.call(payload, has_context) };
            judge(known, answer, said)
        }),
    }
}

fn call_with(callback: &Callback, point: BuiltIn, message: &Message, has_context: bool) -> Result<(), String> {
    let original = Payload::new(point, message.clone());
    let mut payload = original.clone();
    if is_small(message) {
        *payload.message_mut() = redzoned(message);
    }
    let (places, reserved) = (raw::places(payload.message()), raw::reserved(payload.message()));
    // SAFETY: it is a payload of the callback's point, and ours alone; its instance is started.
    let (answer, said) = unsafe { callback.call(payload.pointer(), has_context) };
    let left = judge(Known::BuiltIn(point), answer, said).and_then(|()| {
        raw::is_well_formed(payload.message()).map_err(|why| format!("it left no message: {why}"))?;
        if raw::reserved(payload.message()) != reserved {
            return Err("it changed words of the message that are the host's".into());
        }
        if point.is_notify() && payload != original {
            return Err("it changed the payload, which is there to be looked at".into());
        }
        if is_small(message) && !raw::redzones_hold(&places, payload.message()) {
            return Err("it wrote after the memory of a text or of the body".into());
        }
        Ok(())
    });
    if left.is_err() {
        // Dropping it might follow invalid pointers in it.
        std::mem::forget(payload);
    }
    left
}

/// Calls a callback of a notify point with a payload that can only be read, and only within its bounds: an invalid
/// access ends the process.
pub(super) fn call_guarded(callback: &Callback, point: BuiltIn, message: &Message) -> Result<(), String> {
    let guarded = match &Payload::new(point, message.clone()) {
        Payload::Dropped(dropped) => Guarded::dropped(dropped),
        Payload::Message(message) => Guarded::message(message),
    };
    // SAFETY: it is a payload of the callback's point, a notify point; its instance is started.
    let (answer, said) = unsafe { callback.call(guarded.payload(), false) };
    judge(Known::BuiltIn(point), answer, said)
}

fn judge(known: Known, answer: u32, said: Option<String>) -> Result<(), String> {
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    match answer & 0xff {
        _ if known.allows(answer) => Ok(()),
        255 => Err(format!("it failed{said}")),
        _ => Err(format!("it returned {answer:#x}, which is not a verdict of that point{said}")),
    }
}

/// Messages of every kind that a host may dispatch, each with a description of its peculiarity.
pub(super) fn samples(random: &mut Random, many: usize, largest: usize) -> Vec<(String, Message)> {
    let with = |topic: &str, body: &[u8]| Message::new(topic, body);
    let mut samples: Vec<(String, Message)> = Vec::new();
    let mut add = |what: &str, message| samples.push((what.into(), message));
    add("nothing in it", Message::empty());
    add("a plain message", with("log.app", b"a line of text"));
    for len in [1, 2, 3, 7, 63, 1023, 4095, 4097, 65_537] {
        add(&format!("a body of {len} bytes"), with("log.app", &random.bytes(len)));
    }
    add(&format!("a body of {largest} bytes"), with("log.app", &vec![b'a'; largest]));
    add("a body that is not text", with("log.app", b"\xff\xfe\x00\x80 secret \xc3\x28"));
    add("a body of NULs", with("log.app", &[0; 100]));
    add("a topic of 1024 bytes", with(&"topic.".repeat(171)[..1024], b"text"));
    add("no topic", with("", b"text"));
    add("text from everywhere", with("\u{1f600}.\u{202e}.e\u{301}", "\u{1f600}\u{202e}e\u{301}\u{feff}".as_bytes()));
    let mut headers = with("log.app", b"text");
    (0..256).for_each(|number| headers.add_header(&format!("key-{number}"), "value"));
    add("256 headers", headers);
    let mut same = with("log.app", b"text");
    (0..64).for_each(|_| same.add_header("", ""));
    add("64 headers with nothing in them", same);
    let mut edge = with("log.app", b"text");
    (edge.id, edge.timestamp) = (MessageId::from_bytes([0xff; 16]), u64::MAX);
    add("the last id and the end of time", edge);
    for number in 0..many {
        samples.push((format!("random message {number}"), any(random)));
    }
    samples
}

/// A random message.
pub(super) fn any(random: &mut Random) -> Message {
    let topic = random.below(40);
    let body = random.below(300);
    let mut message = Message::new(&random.text(topic), random.bytes(body));
    message.source.set(&random.text(8));
    for _ in 0..random.below(5) {
        let (key, value) = (random.below(12), random.below(60));
        message.add_header(&random.text(key), &random.text(value));
    }
    message
}

/// Whether memory of its sizes, once freed, is not handed out again at the same address with the same length. The zone
/// checks rely on that.
fn is_small(message: &Message) -> bool {
    message.body.len() < 1000 && message.topic.len() < 1000
}

/// The same message in memory with red zones after it.
fn redzoned(message: &Message) -> Message {
    let mut zoned = message.clone();
    zoned.body = raw::redzoned(&message.body);
    zoned.topic = raw::redzoned_text(&message.topic);
    zoned.source = raw::redzoned_text(&message.source);
    for header in zoned.headers.iter_mut() {
        *header = Header { key: raw::redzoned_text(&header.key), value: raw::redzoned_text(&header.value) };
    }
    zoned
}
