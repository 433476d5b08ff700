//! What goes from the reader to the threads, and from them to the writer.

use std::sync::{Arc, Mutex, PoisonError};

use hookrail::Message;

use super::denials::{Cause, Why};
use super::lines::Line;

/// How many bytes are handed over at once.
pub(super) const CHUNK: usize = 256 << 10;

/// Lines of one input that follow each other.
pub(super) struct Batch {
    pub(super) input: Arc<str>,
    /// When its first line was read, in nanoseconds since the Unix epoch.
    pub(super) now: u64,
    /// Whether a mark stands before its first line.
    pub(super) is_marked: bool,
    /// The number of its first line.
    pub(super) first: u64,
    text: Vec<u8>,
    lines: Vec<Framed>,
}

/// A line of a batch.
#[derive(Clone, Copy)]
enum Framed {
    Whole { length: usize, end: &'static [u8] },
    TooLong { length: u64 },
}

/// What has become of lines that follow each other.
pub(super) struct Done {
    pub(super) input: Arc<str>,
    /// What is to be written.
    pub(super) bytes: Vec<u8>,
    pub(super) delivered: u64,
    /// What else is to be done, in the order of the lines.
    pub(super) events: Vec<Event>,
    /// How many bytes the events hold, roughly.
    held: usize,
}

/// What is to be done for a line beside writing.
pub(super) enum Event {
    Bad {
        line: u64,
        error: serde_json::Error,
    },
    /// For the callbacks on `message.delivered`.
    Delivered(Box<Message>),
    /// With the message, if there are callbacks on `message.dropped`. Why it was denied is known at least for the first one
    /// that a thread has denied for this cause, and for all with a message.
    Denied {
        cause: Cause,
        why: Option<Box<Why>>,
        message: Option<Box<Message>>,
    },
    TooLong {
        line: u64,
        length: u64,
    },
}

/// Buffers that are used again: the system would clear new ones first.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Batch {
    /// An empty one, which begins with the line of this number.
    pub(super) fn new(input: Arc<str>, first: u64, now: u64, is_marked: bool, text: Vec<u8>) -> Self {
        Batch { input, now, is_marked, first, text, lines: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, line: Line<'_>) {
        self.lines.push(match line {
            Line::TooLong { length } => Framed::TooLong { length },
            Line::Whole { text, end } => {
                self.text.extend_from_slice(text);
                Framed::Whole { length: text.len(), end }
            }
        });
    }

    /// Whether it is time to hand it over. Empty lines count too.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() + self.lines.len() >= CHUNK
    }

    /// Its lines with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, Line<'_>)> {
        let mut rest = &self.text[..];
        (self.first..).zip(&self.lines).map(move |(number, line)| match *line {
            Framed::TooLong { length } => (number, Line::TooLong { length }),
            Framed::Whole { length, end } => {
                let (text, after) = rest.split_at(length);
                rest = after;
                (number, Line::Whole { text, end })
            }
        })
    }

    /// The buffer of its text.
    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }
}

impl Done {
    /// Nothing yet, of an input of this name.
    pub(super) fn new(input: Arc<str>, bytes: Vec<u8>) -> Self {
        Done { input, bytes, delivered: 0, events: Vec::new(), held: 0 }
    }

    pub(super) fn push(&mut self, event: Event) {
        let held = |message: &Message| size_of::<Message>() + message.body.len();
        self.held += size_of::<Event>();
        self.held += match &event {
            Event::Delivered(message) | Event::Denied { message: Some(message), .. } => held(message),
            _ => 0,
        };
        self.events.push(event);
    }

    /// Whether it is time to hand it over.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= CHUNK || self.held >= CHUNK
    }
}

impl Spare {
    pub(super) fn take(&self) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(CHUNK + CHUNK / 8))
    }

    pub(super) fn put(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        // One huge message must not hold its memory forever.
        buffer.shrink_to(CHUNK * 2);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
