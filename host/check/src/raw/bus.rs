//! The bus of the host that the driver plays: it takes whatever is published, and nothing is ever received, until the instance
//! is being stopped.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::ptr::from_ref;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, Str, Stream, StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};

use super::offences::{lock, offence};

/// The bus of one instance.
#[derive(Default)]
pub(super) struct Bus {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    last: u64,
    /// Those that are open, each with the descriptors by which the plugin watches it.
    ends: BTreeMap<u64, (Box<End>, Vec<OwnedFd>)>,
}

/// What the plugin has the functions of, until it closes it.
struct End {
    id: u64,
    bus: &'static Bus,
}

impl Bus {
    /// An instance is about to be created.
    pub(super) fn begin(&self) {
        lock(&self.state).is_closed = false;
    }

    /// The instance is about to be stopped.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        state.ends.values().flat_map(|(_, watched)| watched).for_each(tell);
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn open(&'static self) -> Option<(StreamIo, u64)> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return None;
        }
        state.last += 1;
        let id = state.last;
        let end = Box::new(End { id, bus: self });
        let stream = from_ref(&*end).cast_mut().cast();
        state.ends.insert(id, (end, Vec::new()));
        let size = size_of::<StreamIo>() as u32;
        Some((StreamIo { size, reserved: 0, stream, send, marks, receive, answer, wait, watch }, id))
    }

    /// Frees an end, which nobody uses any more. Returns whether there was one.
    pub(super) fn free(&self, id: u64) -> bool {
        lock(&self.state).ends.remove(&id).is_some()
    }

    /// Waits for that time, or until it is closed; returns whether it is.
    pub(super) fn wait(&self, timeout_ns: u64) -> bool {
        let (state, is_open) = (lock(&self.state), |state: &mut State| !state.is_closed);
        if timeout_ns == STREAM_FOREVER {
            return self.changed.wait_while(state, is_open).unwrap_or_else(PoisonError::into_inner).is_closed;
        }
        let waited = self.changed.wait_timeout_while(state, Duration::from_nanos(timeout_ns), is_open);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    /// A descriptor that is readable once it is closed.
    fn watch(&self, id: u64) -> Option<OwnedFd> {
        // SAFETY: the call takes two numbers.
        let event = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        // SAFETY: it is new, and nobody else has it.
        let event = (event >= 0).then(|| unsafe { OwnedFd::from_raw_fd(event) })?;
        let given = event.try_clone().ok()?;
        let mut state = lock(&self.state);
        if state.is_closed {
            tell(&event);
        }
        state.ends.get_mut(&id)?.1.push(event);
        Some(given)
    }
}

fn tell(event: &OwnedFd) {
    // SAFETY: eight bytes are readable. It has been told before, if it takes no more.
    unsafe { libc::write(event.as_raw_fd(), from_ref(&1_u64).cast(), size_of::<u64>()) };
}

/// # Safety
/// `stream` is that of an end that is open.
unsafe fn end<'a>(stream: *mut Stream) -> &'a End {
    // SAFETY: the caller promises it.
    unsafe { &*stream.cast::<End>() }
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn send(
    stream: *mut Stream,
    messages: *mut Message,
    count: usize,
    _: *const StreamMark,
    _: u64,
) -> u32 {
    // SAFETY: `stream` is that of an end.
    if unsafe { end(stream) }.bus.wait(0) {
        return STREAM_CLOSED;
    }
    // SAFETY: so many messages are the plugin's, for the call.
    let messages = if count == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(messages, count) } };
    messages.iter_mut().for_each(|message| *message = Message::empty());
    STREAM_OK
}

unsafe extern "C" fn marks(_: *mut Stream, _: *mut List<Header>) -> u32 {
    STREAM_OK
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn receive(
    stream: *mut Stream,
    _: usize,
    timeout_ns: u64,
    _: *mut *const *const Message,
    _: *mut usize,
) -> u32 {
    // SAFETY: `stream` is that of an end.
    unsafe { wait(stream, timeout_ns) }
}

unsafe extern "C" fn answer(_: *mut Stream, count: usize, _: u32, _: Str) -> usize {
    if count > 0 {
        offence(format!("it answered for {count} messages of the bus, and has received none"));
    }
    0
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn wait(stream: *mut Stream, timeout_ns: u64) -> u32 {
    // SAFETY: `stream` is that of an end.
    if unsafe { end(stream) }.bus.wait(timeout_ns) { STREAM_CLOSED } else { STREAM_NOTHING }
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn watch(stream: *mut Stream) -> i32 {
    // SAFETY: `stream` is that of an end.
    let end = unsafe { end(stream) };
    end.bus.watch(end.id).map_or(-1, IntoRawFd::into_raw_fd)
}
