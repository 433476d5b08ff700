//! The host's end of an endpoint that runs: where a source sends to, and where a sink receives from.

use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::ptr::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use hookrail::EndpointKind;
use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_DEAD, STREAM_DELIVERED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, STREAM_RETRY, Str, Stream,
    StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};

use super::memory::is_well_formed;
use super::offences::{checked, lock, offence};

/// The longest key and value of a mark that a host keeps, in bytes.
const LONGEST_KEY: usize = 1 << 10;
const LONGEST_VALUE: usize = 64 << 10;
/// How long a sink that wants its messages again waits for them.
const PAUSE: Duration = Duration::from_millis(20);

/// One end. Never freed, since a plugin that does wrong uses it after the endpoint has ended, which is to be found.
///
/// # Invariants
/// `shown` has the addresses of `given`, which never changes.
pub(crate) struct End {
    kind: EndpointKind,
    given: Vec<Message>,
    shown: Vec<*const Message>,
    io: OnceLock<StreamIo>,
    is_in_use: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

// SAFETY: by the type invariant the addresses are those of messages that never change.
unsafe impl Send for End {}
// SAFETY: as above; all else is shared by a lock or an atomic.
unsafe impl Sync for End {}

#[derive(Default)]
struct State {
    /// It is to end.
    is_closed: bool,
    /// `run` has returned.
    is_over: bool,
    /// A queue behind the source has no room.
    is_full: bool,
    /// After the messages that are there no more will come.
    is_draining: bool,
    sent: usize,
    received: usize,
    answered: usize,
    /// Why a sink wanted messages again, the last time.
    retried: Option<String>,
    watched: Option<OwnedFd>,
}

/// What an endpoint has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sent: usize,
    pub(crate) answered: usize,
    pub(crate) retried: Option<String>,
}

impl End {
    /// The end of a source.
    pub(crate) fn of_source() -> &'static Self {
        Self::new(EndpointKind::Source, Vec::new())
    }

    /// The end of a sink, for which these messages are there.
    pub(crate) fn of_sink(given: Vec<Message>) -> &'static Self {
        Self::new(EndpointKind::Sink, given)
    }

    fn new(kind: EndpointKind, given: Vec<Message>) -> &'static Self {
        let shown = given.iter().map(from_ref).collect();
        // INVARIANT: moving the list moves none of its messages.
        Box::leak(Box::new(End {
            kind,
            given,
            shown,
            io: OnceLock::new(),
            is_in_use: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// What the endpoint is run with.
    pub(super) fn io(&'static self) -> *const StreamIo {
        let size = size_of::<StreamIo>() as u32;
        let stream = from_ref(self).cast_mut().cast();
        self.io.get_or_init(|| StreamIo { size, reserved: 0, stream, send, marks, receive, answer, wait, watch })
    }

    /// Has the endpoint end.
    pub(crate) fn close(&self) {
        self.change(|state| state.is_closed = true);
    }

    /// From now on nothing can be sent, and whoever does waits.
    pub(crate) fn fill(&self) {
        self.change(|state| state.is_full = true);
    }

    /// There are no more messages than those that are there.
    pub(crate) fn drain(&self) {
        self.change(|state| state.is_draining = true);
    }

    /// `run` has returned.
    pub(super) fn is_over(&self) {
        self.change(|state| state.is_over = true);
    }

    pub(crate) fn seen(&self) -> Seen {
        let State { sent, answered, ref retried, .. } = *lock(&self.state);
        Seen { sent, answered, retried: retried.clone() }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        change(&mut state);
        self.tell(&state);
        self.changed.notify_all();
    }

    /// Makes the descriptor readable, or not.
    fn tell(&self, state: &State) {
        let Some(watched) = &state.watched else { return };
        let is_readable = match self.kind {
            EndpointKind::Source => state.is_closed,
            EndpointKind::Sink => state.is_closed || state.is_draining || state.received < self.given.len(),
        };
        let mut word = 1_u64.to_ne_bytes();
        let at = word.as_mut_ptr().cast();
        // SAFETY: there are eight bytes; the descriptor is open, and neither call waits.
        unsafe {
            match is_readable {
                true => libc::write(watched.as_raw_fd(), at, word.len()),
                false => libc::read(watched.as_raw_fd(), at, word.len()),
            }
        };
    }

    /// Waits until something is so, or the time is over; returns whether it is.
    fn wait_until(&self, timeout_ns: u64, is_so: impl Fn(&State) -> bool) -> (MutexGuard<'_, State>, bool) {
        let deadline = Instant::now().checked_add(Duration::from_nanos(timeout_ns));
        let deadline = deadline.filter(|_| timeout_ns != STREAM_FOREVER);
        let mut state = lock(&self.state);
        loop {
            if is_so(&state) {
                return (state, true);
            }
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if left.is_zero() {
                return (state, false);
            }
            // The longest time that every system can wait.
            let left = left.min(Duration::from_secs(3600));
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// One call of the endpoint into its end.
struct Using(&'static End);

impl Using {
    /// # Safety
    /// `stream` is an end.
    unsafe fn new(stream: *mut Stream, function: &str, of: Option<EndpointKind>) -> Self {
        // SAFETY: the caller promises it, and no end is ever freed.
        let end = unsafe { &*stream.cast_const().cast::<End>() };
        if end.is_in_use.swap(true, Ordering::SeqCst) {
            offence(format!("two threads used the io of one endpoint at once, one of them by `{function}`"));
        }
        if lock(&end.state).is_over {
            offence(format!("it called `{function}` of the io of an endpoint whose `run` had returned"));
        }
        if of.is_some_and(|kind| kind != end.kind) {
            offence(format!("a {} called `{function}`, which is not for it", end.kind.name()));
        }
        Using(end)
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        self.0.is_in_use.store(false, Ordering::SeqCst);
    }
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn send(
    stream: *mut Stream,
    messages: *mut Message,
    count: usize,
    mark: *const StreamMark,
    timeout_ns: u64,
) -> u32 {
    // SAFETY: `stream` is an end, and the mark the source's, for this call.
    let (using, mark) = unsafe { (Using::new(stream, "send", Some(EndpointKind::Source)), mark.as_ref()) };
    if let Some(mark) = mark {
        // SAFETY: the texts are readable for the call.
        let (key, value) = unsafe { (checked(mark.key, "the key of a mark"), checked(mark.value, "a mark")) };
        if key.len() > LONGEST_KEY || value.len() > LONGEST_VALUE {
            offence(format!("a mark has a key of {} bytes, and a value of {}", key.len(), value.len()));
        }
    }
    if messages.is_null() && count > 0 {
        offence(format!("it sent {count} messages at a null pointer"));
        return STREAM_CLOSED;
    }
    let (mut state, is_so) = using.0.wait_until(timeout_ns, |state| state.is_closed || !state.is_full);
    if state.is_closed || !is_so {
        return if state.is_closed { STREAM_CLOSED } else { STREAM_NOTHING };
    }
    state.sent += count;
    drop(state);
    // SAFETY: there are `count` messages, which are the source's, for this call.
    let messages = if count == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(messages, count) } };
    for message in messages {
        match is_well_formed(message) {
            Ok(()) => drop(std::mem::take(message)),
            Err(why) => {
                offence(format!("it sent a message that is none: {why}"));
                std::mem::forget(std::mem::take(message));
            }
        }
    }
    STREAM_OK
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn marks(stream: *mut Stream, _: *mut List<Header>) -> u32 {
    // SAFETY: `stream` is an end. None is kept yet.
    drop(unsafe { Using::new(stream, "marks", Some(EndpointKind::Source)) });
    STREAM_OK
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn receive(
    stream: *mut Stream,
    most: usize,
    timeout_ns: u64,
    messages: *mut *const *const Message,
    count: *mut usize,
) -> u32 {
    // SAFETY: `stream` is an end.
    let using = unsafe { Using::new(stream, "receive", Some(EndpointKind::Sink)) };
    let end = using.0;
    let is_there = |state: &State| state.received < end.given.len();
    let (mut state, is_so) =
        end.wait_until(timeout_ns, |state| state.is_closed || state.is_draining || is_there(state));
    if !is_so {
        return STREAM_NOTHING;
    }
    if state.is_closed || !is_there(&state) {
        return STREAM_CLOSED;
    }
    let next = &end.shown[state.received..end.shown.len().min(state.received.saturating_add(most))];
    if next.is_empty() {
        return STREAM_NOTHING;
    }
    state.received += next.len();
    end.tell(&state);
    // SAFETY: both are the sink's.
    unsafe {
        messages.write(next.as_ptr());
        count.write(next.len());
    }
    STREAM_OK
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn answer(stream: *mut Stream, count: usize, answer: u32, why: Str) -> usize {
    // SAFETY: `stream` is an end; the text is readable for the call.
    let (using, why) = unsafe {
        let using = Using::new(stream, "answer", Some(EndpointKind::Sink));
        (using, checked(why, "why it answers as it does"))
    };
    let end = using.0;
    let mut state = lock(&end.state);
    let open = state.received - state.answered;
    match answer {
        STREAM_DELIVERED | STREAM_DEAD => {
            state.answered += count.min(open);
            count.min(open)
        }
        STREAM_RETRY => {
            (state.received, state.retried) = (state.answered, Some(why));
            end.tell(&state);
            drop(state);
            drop(end.wait_until(PAUSE.as_nanos() as u64, |state| state.is_closed));
            open
        }
        _ => {
            offence(format!("a sink answered {answer}, which there is not"));
            0
        }
    }
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn wait(stream: *mut Stream, timeout_ns: u64) -> u32 {
    // SAFETY: `stream` is an end.
    let using = unsafe { Using::new(stream, "wait", None) };
    let is_drained = |state: &State| state.is_draining && state.received == using.0.given.len();
    let is_so = using.0.wait_until(timeout_ns, |state| state.is_closed || is_drained(state)).1;
    if is_so { STREAM_CLOSED } else { STREAM_NOTHING }
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn watch(stream: *mut Stream) -> i32 {
    // SAFETY: `stream` is an end.
    let using = unsafe { Using::new(stream, "watch", None) };
    let mut state = lock(&using.0.state);
    if state.watched.is_none() {
        // SAFETY: the call takes numbers and touches no memory.
        let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if descriptor < 0 {
            return -1;
        }
        // SAFETY: it was just opened, and nobody else has it.
        state.watched = Some(unsafe { OwnedFd::from_raw_fd(descriptor) });
    }
    using.0.tell(&state);
    let again = state.watched.as_ref().and_then(|watched| watched.try_clone().ok());
    again.map_or(-1, IntoRawFd::into_raw_fd)
}
