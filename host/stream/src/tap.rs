//! Taps: what passes a place in the pipelines, for whoever looks at it.
//!
//! A tap is a callback in the chain of a point, the last one or the first one, for as long as somebody looks. While nobody
//! does, there is nothing: not a branch. The callback copies what matches into a bounded queue, and never waits: what the
//! queue has no room for is counted, and so is what is more than was asked for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{Dropped, Message, Priority};
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

/// How many messages wait for one reader.
const CAPACITY: usize = 1024;
/// How much of a body is told, and how much of all headers, in bytes.
const MAX_BODY: usize = 16 << 10;
const MAX_HEADERS: usize = 8 << 10;

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
}

/// A message that has passed, cut to a bounded size; it becomes JSON on the thread of its reader.
struct Found {
    tapped: Tapped,
    message: Message,
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
        let (found, over_rate) = (Queue::new(CAPACITY), AtomicU64::new(0));
        let looking = Arc::new(Looking { topics, asked, found, bucket, over_rate });
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
            Ok(Found { mut tapped, message }) => {
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
        // Relaxed: it is a count.
        TapMissed::new(self.looking.found.dropped(), self.looking.over_rate.load(Ordering::Relaxed))
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
                tapped.reason = dropped.reason.as_str().into();
                tapped.decided_by = dropped.decided_by.as_str().into();
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
        self.found.push(Found { tapped, message }).wake();
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
    copy.topic.clone_from(&message.topic);
    copy.source.clone_from(&message.source);
    let mut room = MAX_HEADERS;
    for header in message.headers.iter() {
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
