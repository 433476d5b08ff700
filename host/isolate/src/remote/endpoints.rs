//! The sources and sinks of a plugin in a worker, as the host runs them: each has a socket of its own while it runs, by which
//! it asks for what [`StreamIo`] offers, and is answered by the thread that an endpoint of this process would run on.
//!
//! A worker that ends is a failure of its endpoints, which are accepted again by the next one. What a sink had received and
//! not answered for is given again.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::ptr::null;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, STREAM_RETRY, Str, StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};
use hookrail_engine::{Accepts, Endpoint};
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::note::EndpointKind;
use hookrail_model::time::later;
use hookrail_model::units::duration_text;

use super::live::Live;
use super::plugin::{Plugin, unexpected};
use super::worker::Worker;
use crate::wire::{Answer, Ask, EndpointId, FromEndpoint, Receiver, Sender, ToEndpoint, pair};

/// How long it is waited at once, before it is looked whether the worker is still there.
pub(super) const SLICE: Duration = Duration::from_millis(250);
/// The most messages that are received at once.
const MOST: u64 = 4096;
/// From that size on no more messages cross at once, in bytes.
const ENOUGH: usize = 64 << 20;

/// The endpoints of an instance.
pub(super) struct Endpoints {
    pub(super) plugin: Arc<Plugin>,
    pub(super) worker: Arc<Worker>,
    pub(super) instance: String,
}

/// One endpoint, in one process.
struct Made {
    plugin: Arc<Plugin>,
    live: Arc<Live>,
    instance: String,
    id: EndpointId,
    /// Whether it was run; then its worker has freed it.
    has_run: bool,
}

impl Endpoints {
    fn ask(&self, ask: Ask) -> Result<(Arc<Live>, Answer), Error> {
        let call = ask.call();
        let live = self.worker.live(Instant::now() + self.plugin.patience);
        let live = live.map_err(|why| Error::misbehaved(&*self.instance, Misbehaved::worker_ended(call, why)))?;
        let answer = self.plugin.ask(&live, &self.instance, ask)?;
        Ok((live, answer))
    }

    fn unexpected(&self, live: &Live, call: &'static str) -> Error {
        unexpected(live, &self.instance, call, self.plugin.patience)
    }
}

impl Accepts for Endpoints {
    fn accept(&self, kind: EndpointKind, name: &str, config: &str) -> Result<Box<dyn Endpoint>, Error> {
        let (plugin, instance) = (self.plugin.number, self.instance.clone());
        let ask = Ask::Accept { plugin, instance: instance.clone(), kind, name: name.into(), config: config.into() };
        match self.ask(ask)? {
            (live, Answer::Accepted(id)) => {
                Ok(Box::new(Made { plugin: self.plugin.clone(), live, instance, id, has_run: false }))
            }
            (live, _) => Err(self.unexpected(&live, "accept")),
        }
    }

    fn schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        let (plugin, instance) = (self.plugin.number, self.instance.clone());
        match self.ask(Ask::EndpointSchema { plugin, instance, kind, name: name.into() })? {
            (_, Answer::Schema(schema)) => Ok(schema),
            (live, _) => Err(self.unexpected(&live, "schema")),
        }
    }
}

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoints").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Endpoint for Made {
    unsafe fn run(&mut self, io: *const StreamIo) -> Result<(), Error> {
        let failed = |cause: io::Error| Error::system("speak with an endpoint in its worker", cause);
        let (ours, theirs) = pair().map_err(failed)?;
        self.has_run = true;
        let ask = Ask::Run { plugin: self.plugin.number, endpoint: self.id };
        let began = self.live.ask(ask, Some(theirs.as_fd()), self.plugin.patience);
        began.map_err(|failed| failed.into_error(&self.instance, "run", self.plugin.patience))?;
        // Only the worker has it: its end is seen here.
        drop(theirs);
        // Who begins a frame ends it.
        ours.set_read_timeout(Some(self.plugin.patience)).map_err(failed)?;
        ours.set_write_timeout(Some(self.plugin.patience)).map_err(failed)?;
        let sender = Sender::of_messages(ours.try_clone().map_err(failed)?);
        let mut receiver = Receiver::of_messages(ours);
        // SAFETY: the caller promises that the table is there until this returns, and used by this call alone.
        let mut host = unsafe { Host::new(&*io, &self.live) };
        loop {
            self.wait_for_it(&receiver, &host).map_err(failed)?;
            let asked = match receiver.receive::<FromEndpoint>() {
                Ok(Some((FromEndpoint::Ran(ran), _))) => return ran.map_err(Error::from),
                Ok(Some((asked, _))) => asked,
                Ok(None) | Err(_) => return Err(self.ended()),
            };
            let Some((answer, descriptor)) = host.answer(asked) else { return Err(self.ended()) };
            let descriptor = descriptor.as_ref().map(AsFd::as_fd);
            match sender.send(&answer, descriptor.as_slice()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(failed(error)),
                Err(_) => return Err(self.ended()),
            }
        }
    }
}

impl Made {
    /// Waits until the endpoint asks for something. One that is told to end and does not, ends with its process: no other
    /// code is to wait for it.
    fn wait_for_it(&self, receiver: &Receiver, host: &Host<'_>) -> io::Result<()> {
        let mut told = None;
        while !receiver.is_readable(SLICE)? {
            if !host.is_closed() {
                continue;
            }
            if told.get_or_insert_with(Instant::now).elapsed() >= self.plugin.patience {
                let patience = duration_text(self.plugin.patience);
                self.live.abort(None, format!("an endpoint did not return within {patience} after it was told to end"));
                told = None;
            }
        }
        Ok(())
    }

    /// It speaks no more, or not as an endpoint does: its process has ended, or ends now.
    fn ended(&self) -> Error {
        self.live.kill();
        Error::misbehaved(&*self.instance, Misbehaved::worker_ended("run", self.live.how_it_ended()))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.has_run {
            // With a process that ends, it is gone as well.
            let free = Ask::Free { plugin: self.plugin.number, endpoint: self.id };
            let _ = self.live.ask(free, None, self.plugin.patience);
        }
    }
}

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
    fn is_closed(&self) -> bool {
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
            FromEndpoint::Receive { most, timeout_ns } => self.receive(most.clamp(1, MOST) as usize, timeout_ns)?,
            FromEndpoint::Send { mut messages, mark, timeout_ns } => {
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
