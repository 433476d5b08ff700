//! What sources and sinks exchange messages with.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::{from_mut, from_ref, null};
use std::time::Duration;

use crate::boundary::{
    Growing, STREAM_CLOSED, STREAM_DEAD, STREAM_DELIVERED, STREAM_FOREVER, STREAM_OK, STREAM_RETRY, Str, StreamIo,
    StreamMark, TooSmall,
};
use crate::{Header, List, Message};

/// The host wants the endpoint to end: nothing is taken from a source any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host has closed the endpoint")
    }
}

impl std::error::Error for Closed {}

/// A place in the input of a source: the newest `value` of each `key` is kept by the host, once all that was sent up to
/// there is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// What the place is in, a file for example; at most 1 KiB.
    pub key: &'a str,
    /// The place; at most 64 KiB. An empty one is forgotten, and its key.
    pub value: &'a str,
}

/// What a sink has received.
#[derive(Debug)]
pub enum Received<'a> {
    /// No message will come any more; those that were received are still to be answered for.
    Closed,
    /// The next messages, in order. They stay until they are answered for.
    Messages(&'a [&'a Message]),
    /// None in that time.
    Nothing,
}

/// The host's end of an endpoint.
///
/// # Invariants
/// The functions of `table` may be called with its stream until `'a` ends, by one thread at a time.
pub(crate) struct End<'a> {
    table: StreamIo,
    host: PhantomData<&'a StreamIo>,
}

// SAFETY: by the type invariant any thread may call the functions, one at a time, and only `&mut` and this own it.
unsafe impl Send for End<'_> {}

/// Where a source sends its messages to.
#[derive(Debug)]
pub struct SourceIo<'a>(End<'a>);

/// Where a sink receives its messages from.
#[derive(Debug)]
pub struct SinkIo<'a>(End<'a>);

impl fmt::Debug for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("End").field(&self.table.stream).finish()
    }
}

impl End<'_> {
    /// # Safety
    /// `at` is what the host has passed to `run` or written for us, and `'a` ends before its time does.
    pub(crate) unsafe fn new(at: *const StreamIo) -> Result<Self, TooSmall> {
        // SAFETY: the host has passed a structure of its own.
        let table = unsafe { StreamIo::read(at)? };
        // INVARIANT: the caller promises it.
        Ok(End { table, host: PhantomData })
    }

    /// Returns what the host does.
    pub(crate) fn send(&mut self, messages: &mut [Message], mark: Option<Mark<'_>>, limit: Option<Duration>) -> u32 {
        let mark = mark.map(|mark| StreamMark { key: Str::new(mark.key), value: Str::new(mark.value) });
        let mark = mark.as_ref().map_or(null(), from_ref);
        // SAFETY: by the type invariant; the messages are ours, and all of it holds for the call.
        unsafe { (self.table.send)(self.table.stream, messages.as_mut_ptr(), messages.len(), mark, nanoseconds(limit)) }
    }

    pub(crate) fn wait(&self, time: Duration) -> bool {
        // SAFETY: by the type invariant.
        unsafe { (self.table.wait)(self.table.stream, nanoseconds(Some(time))) == STREAM_CLOSED }
    }

    pub(crate) fn watch(&self) -> Option<OwnedFd> {
        // SAFETY: by the type invariant.
        let descriptor = unsafe { (self.table.watch)(self.table.stream) };
        // SAFETY: the host has given it to us, and nobody else has it.
        (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
    }
}

impl SourceIo<'_> {
    /// The end of the endpoint that a host runs; for programs whose own code is one.
    ///
    /// # Errors
    /// If what stands there is incomplete.
    ///
    /// # Safety
    /// `at` is what a host passes to `run`, and `'a` ends before that returns.
    pub unsafe fn new(at: *const StreamIo) -> Result<Self, TooSmall> {
        // SAFETY: the caller promises it.
        unsafe { End::new(at).map(SourceIo) }
    }

    /// Sends a message, which is left empty, but may have memory: a source that fills the same messages again needs not
    /// allocate any. Returns when it was decided by the chain of `message.publish`, and every queue that blocks has taken
    /// it.
    ///
    /// # Errors
    /// If the host has closed this: then it has not taken the message.
    pub fn send(&mut self, message: &mut Message) -> Result<(), Closed> {
        self.send_batch(std::slice::from_mut(message), None)
    }

    /// As [`send`](Self::send), for several messages: all of them, or none.
    ///
    /// Once they, and all those before them, are settled (delivered by each sink that wants them, written to disk by a
    /// queue that spills, or dropped for a reason that is counted), the host keeps the mark, durably. So a source that
    /// begins at its [marks](Self::marks) loses nothing, whatever ends the process; what was under way comes twice.
    /// Without messages it is kept as soon as all those before are settled.
    ///
    /// # Errors
    /// If the host has closed this: then it has taken none of them, and does not keep the mark.
    pub fn send_batch(&mut self, messages: &mut [Message], mark: Option<Mark<'_>>) -> Result<(), Closed> {
        // Whatever else the host says: what it has not taken is not sent.
        if self.send_within(messages, mark, None)? { Ok(()) } else { Err(Closed) }
    }

    /// As [`send_batch`](Self::send_batch), but returns false, and takes nothing, if a queue has no room for that time:
    /// for a source that had rather refuse its clients than have them wait.
    ///
    /// # Errors
    /// As for [`send_batch`](Self::send_batch).
    pub fn send_within(
        &mut self,
        messages: &mut [Message],
        mark: Option<Mark<'_>>,
        limit: Option<Duration>,
    ) -> Result<bool, Closed> {
        match self.0.send(messages, mark, limit) {
            STREAM_OK => Ok(true),
            STREAM_CLOSED => Err(Closed),
            _ => Ok(false),
        }
    }

    /// The marks that the host has kept, with their keys: those of this source in this pipeline.
    pub fn marks(&self) -> Vec<(String, String)> {
        let mut marks = List::<Header>::new();
        // SAFETY: by the type invariant; the list is ours.
        unsafe { (self.0.table.marks)(self.0.table.stream, from_mut(&mut marks)) };
        marks.iter().map(|mark| (mark.key.as_str().to_owned(), mark.value.as_str().to_owned())).collect()
    }

    /// Whether it is to end.
    pub fn is_closed(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits for that long, or until it is to end; returns whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        self.0.wait(time)
    }

    /// A descriptor that is readable once it is to end: for a runtime. `None` if the system has none left.
    pub fn watch(&self) -> Option<OwnedFd> {
        self.0.watch()
    }
}

impl<'a> SinkIo<'a> {
    pub(crate) fn of(end: End<'a>) -> Self {
        SinkIo(end)
    }
}

impl SinkIo<'_> {
    /// The end of the endpoint that a host runs; for programs whose own code is one.
    ///
    /// # Errors
    /// If what stands there is incomplete.
    ///
    /// # Safety
    /// `at` is what a host passes to `run`, and `'a` ends before that returns.
    pub unsafe fn new(at: *const StreamIo) -> Result<Self, TooSmall> {
        // SAFETY: the caller promises it.
        unsafe { End::new(at).map(SinkIo) }
    }

    /// Receives the next messages, `most` at most; waits for the first one, but not longer than `limit`. They are to be
    /// answered for, by [`ack`](Self::ack), [`reject`](Self::reject) or [`retry`](Self::retry); more can be received
    /// before that, but not more than the queue has room for.
    pub fn recv(&mut self, most: usize, limit: Option<Duration>) -> Received<'_> {
        let (mut first, mut count) = (null(), 0);
        // SAFETY: by the type invariant; the variables are ours.
        match unsafe { (self.0.table.receive)(self.0.table.stream, most, nanoseconds(limit), &mut first, &mut count) } {
            STREAM_OK if count > 0 => {
                // SAFETY: the host has written where the addresses of so many messages stand, until it is called again,
                // which needs `&mut self`; they are not changed until they are answered for, which needs that too.
                Received::Messages(unsafe { std::slice::from_raw_parts(first.cast::<&Message>(), count) })
            }
            STREAM_CLOSED => Received::Closed,
            _ => Received::Nothing,
        }
    }

    /// The oldest `count` messages that were received are delivered.
    pub fn ack(&mut self, count: usize) {
        self.answer(count, STREAM_DELIVERED, "");
    }

    /// The oldest `count` messages that were received never can be delivered: they are dropped, for that reason.
    pub fn reject(&mut self, count: usize, why: &str) {
        self.answer(count, STREAM_DEAD, why);
    }

    /// All messages that were received and not answered for cannot be delivered now, for that reason: they come again, in
    /// their order, after a pause.
    pub fn retry(&mut self, why: &str) {
        self.answer(0, STREAM_RETRY, why);
    }

    /// Whether it is to end at once. One that may still receive what is queued gets [`Received::Closed`] after that.
    pub fn is_closed(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits for that long, or until it is to end; returns whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        self.0.wait(time)
    }

    /// A descriptor that is readable while it can receive without waiting, and once it is to end: for a runtime. `None` if
    /// the system has none left.
    pub fn watch(&self) -> Option<OwnedFd> {
        self.0.watch()
    }

    fn answer(&mut self, count: usize, answer: u32, why: &str) {
        // SAFETY: by the type invariant; the text holds for the call.
        unsafe { (self.0.table.answer)(self.0.table.stream, count, answer, Str::new(why)) };
    }
}

fn nanoseconds(limit: Option<Duration>) -> u64 {
    // A time of centuries is none.
    limit.map_or(STREAM_FOREVER, |limit| u64::try_from(limit.as_nanos()).unwrap_or(STREAM_FOREVER))
}
