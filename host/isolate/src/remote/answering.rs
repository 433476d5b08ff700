//! What an endpoint in a worker asks for, answered by the host's table.

use std::collections::VecDeque;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::null;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, STREAM_RETRY, Str, StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};
use hookrail_engine::Actor;
use hookrail_model::time::later;

use super::live::Live;
use crate::wire::{FromEndpoint, ToEndpoint};

/// How long it is waited at once, before it is looked whether the worker is still there.
pub(super) const SLICE: Duration = Duration::from_millis(250);
/// The most messages that are received at once.
const MOST: u64 = 4096;
/// From that size on no more messages cross at once, in bytes.
const ENOUGH: usize = 64 << 20;

/// The host's side of an endpoint.
///
/// # Invariants
/// The functions of `io` may be called, by this thread alone. What is shown was received and is not answered for.
pub(super) struct Host<'a> {
    io: &'a StreamIo,
    live: &'a Live,
    /// What was received, and has not crossed yet.
    shown: VecDeque<*const Message>,
    /// How many have crossed, and are not answered for.
    given: usize,
}

impl<'a> Host<'a> {
    /// # Safety
    /// The functions of `io` may be called as long as this is there, by this thread alone. Nothing was received yet.
    pub(super) unsafe fn new(io: &'a StreamIo, live: &'a Live) -> Self {
        // INVARIANT: the caller promises it.
        Host { io, live, shown: VecDeque::new(), given: 0 }
    }

    /// Whether the endpoint is to end.
    pub(super) fn is_closed(&self) -> bool {
        // SAFETY: by the type invariant.
        unsafe { (self.io.wait)(self.io.stream, 0) == STREAM_CLOSED }
    }

    /// Answers, with a descriptor if there is one; `None` when the worker has ended.
    pub(super) fn answer(&mut self, asked: FromEndpoint) -> Option<(ToEndpoint, Option<OwnedFd>)> {
        let StreamIo { stream, .. } = *self.io;
        let answer = match asked {
            FromEndpoint::Answer { count, answer, why } => {
                // It cannot answer for what it has not got.
                let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.given);
                if answer == STREAM_RETRY {
                    // INVARIANT: what was shown goes back, too.
                    self.shown.clear();
                    self.given = 0;
                }
                // SAFETY: by the type invariant; the text holds for the call.
                let answered = unsafe { (self.io.answer)(stream, count, answer, Str::new(&why)) };
                self.given = self.given.saturating_sub(answered);
                ToEndpoint::Answered(answered as u64)
            }
            FromEndpoint::Marks => {
                let mut marks = List::<Header>::new();
                // SAFETY: by the type invariant; the list is ours.
                unsafe { (self.io.marks)(stream, &mut marks) };
                let text = |text: &hookrail_abi::Text| text.as_str().to_owned();
                ToEndpoint::Marks(marks.iter().map(|mark| (text(&mark.key), text(&mark.value))).collect())
            }
            FromEndpoint::Receive { thread, most, timeout_ns } => {
                self.act_for(thread);
                self.receive(most.clamp(1, MOST) as usize, timeout_ns)?
            }
            FromEndpoint::Send { thread, mut messages, mark, timeout_ns } => {
                self.act_for(thread);
                let mark = mark.as_ref().map(|(key, value)| StreamMark { key: Str::new(key), value: Str::new(value) });
                let mark = mark.as_ref().map_or(null(), std::ptr::from_ref);
                let (first, count) = (messages.as_mut_ptr(), messages.len());
                ToEndpoint::Status(self.in_slices(timeout_ns, |slice| {
                    // SAFETY: by the type invariant; the messages are ours, and the mark holds for the call.
                    unsafe { (self.io.send)(stream, first, count, mark, slice) }
                })?)
            }
            FromEndpoint::Wait { timeout_ns } => ToEndpoint::Status(self.in_slices(timeout_ns, |slice| {
                // SAFETY: by the type invariant.
                unsafe { (self.io.wait)(stream, slice) }
            })?),
            FromEndpoint::Watch => {
                // SAFETY: by the type invariant.
                let descriptor = unsafe { (self.io.watch)(stream) };
                // SAFETY: it was given to us, and nobody else has it.
                let descriptor = (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) });
                return Some((ToEndpoint::Watched, descriptor));
            }
            FromEndpoint::Ran(_) => unreachable!("it is the end"),
        };
        Some((answer, None))
    }

    /// This thread does what one of the worker asks for.
    fn act_for(&self, thread: u64) {
        Actor::act_for(self.live.pid().unwrap_or_default(), thread);
    }

    fn receive(&mut self, most: usize, timeout_ns: u64) -> Option<ToEndpoint> {
        let StreamIo { stream, .. } = *self.io;
        if self.shown.is_empty() {
            let (mut first, mut count) = (null(), 0);
            let status = self.in_slices(timeout_ns, |slice| {
                // SAFETY: by the type invariant; the variables are ours.
                unsafe { (self.io.receive)(stream, most, slice, &mut first, &mut count) }
            })?;
            if status != STREAM_OK {
                return Some(ToEndpoint::Status(status));
            }
            // SAFETY: the addresses of so many messages stand there until the next call.
            let shown = unsafe { std::slice::from_raw_parts(first, count) };
            // INVARIANT: they were just received.
            self.shown.extend(shown);
        }
        let (mut messages, mut size) = (Vec::new(), 0);
        while messages.len() < most
            && size < ENOUGH
            && let Some(message) = self.shown.pop_front()
        {
            // SAFETY: by the type invariant it is not answered for, so it is there, and not changed.
            let message = unsafe { &*message }.clone();
            size += message.body.len() + message.topic.as_str().len();
            messages.push(message);
        }
        self.given += messages.len();
        Some(ToEndpoint::Messages(messages))
    }

    /// Waits in slices, until something comes of it or the time is over; `None` when the worker has ended.
    fn in_slices(&self, timeout_ns: u64, mut wait: impl FnMut(u64) -> u32) -> Option<u32> {
        let until = (timeout_ns != STREAM_FOREVER).then(|| later(Instant::now(), Duration::from_nanos(timeout_ns)));
        loop {
            let left = until.map_or(SLICE, |until| until.saturating_duration_since(Instant::now()).min(SLICE));
            let status = wait(left.as_nanos() as u64);
            if status != STREAM_NOTHING {
                return Some(status);
            }
            if self.live.is_dead() {
                return None;
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Some(STREAM_NOTHING);
            }
        }
    }
}
