//! Taps: what passes a place in the pipelines, for whoever looks at it.
//!
//! A tap is a callback in the chain of a point, the last one or the first one, for as long as somebody looks. While nobody
//! does, there is nothing: not a branch. The callback copies what matches, cut to a bounded size, into a bounded queue, and
//! never waits: what the queue has no room for is counted, and so is what is more than was asked for.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{Dropped, Header, Message, Priority};
use hookrail_dispatch::{Callbacks, Queue, Registered};
use hookrail_engine::Host;
use hookrail_model::command;
use hookrail_model::error::Error;
use hookrail_model::tap::{TapMissed, TapPlace, Tapped};
use parking_lot::Mutex;
use serde_json::Value;

use crate::here;
use crate::route::has;
use crate::topic::Pattern;

/// How many messages wait for one reader, and how many bytes they have together.
const CAPACITY: usize = 1024;
const MAX_WAITING: usize = 8 << 20;
/// How much of a body is told, how much of all headers, and how much of each other text, in bytes.
const MAX_BODY: usize = 16 << 10;
const MAX_HEADERS: usize = 8 << 10;
const MAX_TEXT: usize = 1 << 10;
/// How many headers are told.
const MOST_HEADERS: usize = 256;

/// The messages that pass a place. Dropping it ends it.
#[must_use = "dropping it ends it"]
pub struct Tap {
    looking: Arc<Looking>,
    host: Weak<Host>,
    registered: Option<Registered>,
    /// How many more are to be received.
    left: u64,
}

/// What a tap was asked for, and what it has found.
struct Looking {
    topics: Pattern,
    asked: command::Tap,
    found: Queue<Found>,
    bucket: Mutex<Bucket>,
    over_rate: AtomicU64,
    room: Arc<Room>,
    over_room: AtomicU64,
}

/// How many bytes wait for the reader.
#[derive(Default)]
struct Room(AtomicUsize);

/// Some of them, until it is dropped.
struct Waiting {
    room: Arc<Room>,
    size: usize,
}

/// A message that has passed, cut to a bounded size; it becomes JSON on the thread of its reader.
struct Found {
    tapped: Tapped,
    message: Message,
    _waiting: Waiting,
}

/// How many may still be told in this second.
struct Bucket {
    since: Instant,
    left: u32,
}

impl Tap {
    /// Looks from now on. That the pipeline exists is not checked: it may come.
    ///
    /// # Errors
    /// If the host is being dropped.
    pub fn begin(host: &Arc<Host>, asked: command::Tap, topics: Pattern) -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let (at, left) = (asked.at, asked.limit.unwrap_or(u64::MAX));
        let bucket = Mutex::new(Bucket { since: Instant::now(), left: asked.rate.unwrap_or(u32::MAX) });
        let looking = Arc::new(Looking {
            topics,
            asked,
            found: Queue::new(CAPACITY),
            bucket,
            over_rate: AtomicU64::new(0),
            room: Arc::default(),
            over_room: AtomicU64::new(0),
        });
        // Relaxed: only distinctness matters.
        let name = format!("tap-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let (callbacks, sees) = (Callbacks::new("hookrail"), looking.clone());
        let callbacks = match at {
            TapPlace::Received => {
                callbacks.on(MessagePublish, &name, Priority::FIRST, move |message| sees.message(message))
            }
            TapPlace::Delivered => {
                callbacks.on(MessageDelivered, &name, Priority::LAST, move |message| sees.message(message))
            }
            TapPlace::Dropped => {
                callbacks.on(MessageDropped, &name, Priority::LAST, move |dropped| sees.dropped(dropped))
            }
            _ => callbacks.on(MessagePublish, &name, Priority::LAST, move |message| sees.message(message)),
        };
        let registered = Some(host.register(callbacks)?);
        Ok(Tap { looking, host: Arc::downgrade(host), registered, left })
    }

    /// The next message; waits for it for at most `timeout`.
    ///
    /// # Errors
    /// If there was none in time, or there will be none: as many as were asked for were received, or the host is gone.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Tapped, RecvTimeoutError> {
        if self.left == 0 {
            return Err(RecvTimeoutError::Disconnected);
        }
        match self.looking.found.recv_timeout(timeout) {
            Ok(Found { mut tapped, message, _waiting }) => {
                self.left -= 1;
                tapped.message = serde_json::to_value(&message).unwrap_or(Value::Null);
                Ok(tapped)
            }
            Err(_) if self.host.strong_count() == 0 => Err(RecvTimeoutError::Disconnected),
            Err(none) => Err(none),
        }
    }

    /// How many messages matched so far and were not received.
    pub fn missed(&self) -> TapMissed {
        let Looking { found, over_rate, over_room, .. } = &*self.looking;
        // Relaxed: they are counts.
        let [over_rate, over_room] = [over_rate, over_room].map(|count| count.load(Ordering::Relaxed));
        TapMissed::new(found.dropped() + over_room, over_rate)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let (Some(host), Some(registered)) = (self.host.upgrade(), self.registered.take()) {
            host.unregister(registered);
        }
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("asked", &self.looking.asked).field("missed", &self.missed()).finish()
    }
}

impl Looking {
    fn message(&self, message: &Message) {
        if self.wants(message) {
            self.add(message, |_| {});
        }
    }

    fn dropped(&self, dropped: &Dropped) {
        if self.wants(&dropped.message) {
            self.add(&dropped.message, |tapped| {
                tapped.kind = dropped.kind().name().into();
                tapped.reason = shortened(dropped.reason.as_str()).into();
                tapped.decided_by = shortened(dropped.decided_by.as_str()).into();
            });
        }
    }

    fn wants(&self, message: &Message) -> bool {
        let is_there = |asked: &String| here::with(|pipeline, _| pipeline == asked);
        self.asked.pipeline.as_ref().is_none_or(is_there)
            && self.topics.matches(message.topic.as_str())
            && has(message, &self.asked.headers)
    }

    fn add(&self, message: &Message, more: impl FnOnce(&mut Tapped)) {
        if !self.bucket.lock().takes(self.asked.rate) {
            // Relaxed: it is a count.
            self.over_rate.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut tapped = Tapped::new(self.asked.at, Value::Null);
        here::with(|pipeline, endpoint| (tapped.pipeline, tapped.endpoint) = (pipeline.into(), endpoint.into()));
        more(&mut tapped);
        let message = cut(message, &mut tapped);
        match self.room.take(size(&message) + tapped.reason.len()) {
            Some(waiting) => self.found.push(Found { tapped, message, _waiting: waiting }).wake(),
            // Relaxed: it is a count.
            None => _ = self.over_room.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Room {
    /// Takes so many bytes, if there are as many.
    fn take(self: &Arc<Self>, size: usize) -> Option<Waiting> {
        let more = |waiting: usize| waiting.checked_add(size).filter(|all| *all <= MAX_WAITING);
        // Relaxed: a count, which orders nothing.
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Waiting { room: self.clone(), size })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Relaxed: as above.
        self.room.0.fetch_sub(self.size, Ordering::Relaxed);
    }
}

impl Bucket {
    fn takes(&mut self, rate: Option<u32>) -> bool {
        let Some(rate) = rate else { return true };
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Bucket { since: Instant::now(), left: rate };
        }
        let takes = self.left > 0;
        self.left = self.left.saturating_sub(1);
        takes
    }
}

/// A copy of a bounded size.
fn cut(message: &Message, tapped: &mut Tapped) -> Message {
    let mut copy = Message::empty();
    (copy.id, copy.timestamp, copy.flags) = (message.id, message.timestamp, message.flags);
    for (text, to, cut) in [
        (&message.topic, &mut copy.topic, &mut tapped.topic_bytes),
        (&message.source, &mut copy.source, &mut tapped.source_bytes),
    ] {
        let text = text.as_str();
        let short = shortened(text);
        *cut = (short.len() < text.len()).then_some(text.len() as u64);
        to.set(short);
    }
    let mut room = MAX_HEADERS;
    for header in message.headers.iter().take(MOST_HEADERS) {
        let needs = header.key.as_str().len() + header.value.as_str().len();
        if needs > room {
            break;
        }
        room -= needs;
        copy.headers.push(header.clone());
    }
    tapped.headers_left_out = (message.headers.len() - copy.headers.len()) as u64;
    let body = &message.body[..];
    if body.len() > MAX_BODY {
        tapped.body_bytes = Some(body.len() as u64);
    }
    // Not within a character.
    let is_text = std::str::from_utf8(&body[..body.len().min(MAX_BODY + 4)])
        .map_or_else(|error| error.error_len().is_none(), |_| true);
    let mut end = body.len().min(MAX_BODY);
    while is_text && end < body.len() && end > 0 && body[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    copy.body = body[..end].into();
    copy
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

/// How much memory a message has, about.
fn size(message: &Message) -> usize {
    let Message { source, topic, headers, body, .. } = message;
    let header = |header: &Header| size_of::<Header>() + header.key.as_str().len() + header.value.as_str().len();
    let texts = source.as_str().len() + topic.as_str().len() + headers.iter().map(header).sum::<usize>();
    size_of::<Found>() + texts + body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looking() -> Looking {
        Looking {
            topics: ">".parse().unwrap(),
            asked: command::Tap::new(">"),
            found: Queue::new(CAPACITY),
            bucket: Mutex::new(Bucket { since: Instant::now(), left: u32::MAX }),
            over_rate: AtomicU64::new(0),
            room: Arc::default(),
            over_room: AtomicU64::new(0),
        }
    }

    #[test]
    fn whatever_is_long_in_a_message_is_cut_and_told() {
        let looking = looking();
        let long = "ä".repeat(2 << 20);
        let mut message = Message::new(&format!("a{long}"), &*long);
        message.source.set(&long);
        (0..100_000).for_each(|_| message.add_header("", ""));
        looking.message(&message);
        let mut dropped = Dropped::denied(message, "mask/mask", 7, &*long);
        dropped.decided_by.set(&long);
        looking.dropped(&dropped);
        for _ in 0..2 {
            let Found { tapped, message, _waiting } = looking.found.try_recv().unwrap();
            assert!(size(&message) < MAX_BODY + MAX_HEADERS + (64 << 10), "{}", size(&message));
            assert!(tapped.reason.len() <= MAX_TEXT && tapped.decided_by.len() <= MAX_TEXT);
            assert_eq!(message.topic.as_str().len(), MAX_TEXT - 1, "not within a character");
            assert_eq!((tapped.topic_bytes, tapped.source_bytes), (Some((4 << 20) + 1), Some(4 << 20)));
            assert_eq!((tapped.body_bytes, tapped.headers_left_out), (Some(4 << 20), 100_000 - MOST_HEADERS as u64));
        }
        looking.message(&Message::new("short", ""));
        let Found { tapped, .. } = looking.found.try_recv().unwrap();
        assert_eq!((tapped.topic_bytes, tapped.source_bytes, tapped.body_bytes), (None, None, None));
    }

    #[test]
    fn what_waits_for_a_reader_has_a_bounded_size_and_the_rest_is_counted() {
        let looking = looking();
        let message = Message::new("a", vec![0; MAX_BODY]);
        (0..CAPACITY).for_each(|_| looking.message(&message));
        let waiting = || looking.room.0.load(Ordering::Relaxed);
        assert!((MAX_WAITING - 2 * MAX_BODY..=MAX_WAITING).contains(&waiting()), "{}", waiting());
        let mut received = 0;
        while looking.found.try_recv().is_ok() {
            received += 1;
        }
        assert_eq!(received + looking.over_room.load(Ordering::Relaxed), CAPACITY as u64);
        assert_eq!(waiting(), 0, "there is room again");
        // What the queue refuses waits no more.
        (0..=CAPACITY).for_each(|_| looking.message(&Message::empty()));
        assert_eq!(looking.found.dropped(), 1);
        drop(looking.found.try_recv());
        assert_eq!(waiting(), (CAPACITY - 1) * size(&Message::empty()));
    }
}
