//! The bus of a plugin under test: the test publishes what other plugins would, and sees what the plugin does.

mod subscribed;

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::subscribed::Subscribed;
use super::answered::Answered;
use crate::boundary::{
    self, BusService, BusSpec, STREAM_CLOSED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, Str, Stream, StreamIo,
    StreamMark,
};
use crate::{Header, List, Message, Text};

/// What a handle points to.
pub(super) trait HasBus: Send + Sync + 'static {
    fn bus(&self) -> &Arc<Bus>;
}

/// The service to plugins whose handles were made by `Arc::as_ptr` of such.
pub(super) const fn service<H: HasBus>() -> BusService {
    BusService {
        size: size_of::<BusService>() as u32,
        publish: publish::<H>,
        subscribe: subscribe::<H>,
        close: close::<H>,
    }
}

/// What is published, and who has subscribed.
#[derive(Debug, Default)]
pub(super) struct Bus {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    last: u64,
    /// What the plugin has published, and the test has not taken.
    published: VecDeque<Message>,
    /// By name. One that was closed stays, for the test.
    subscriptions: BTreeMap<String, Subscribed>,
    ends: BTreeMap<u64, Open>,
}

/// What the plugin has the functions of.
struct End {
    /// So that it is there while the plugin has an end, even behind its own end.
    _handle: Arc<dyn HasBus>,
    bus: Arc<Bus>,
    /// Its name; none publishes.
    subscription: Option<String>,
    watchers: Mutex<Vec<Watcher>>,
}

/// The end that `close` frees.
#[derive(Debug)]
struct Open(*mut End);

// SAFETY: an end may be used by any thread, and `close` is called when nobody uses it any more.
unsafe impl Send for Open {}

/// A socket that the plugin watches: it has a byte to be read while the end is ready.
#[derive(Debug)]
struct Watcher {
    told: bool,
    write: UnixStream,
    read: UnixStream,
}

impl Bus {
    /// Publishes a message as another plugin would: each subscription of this one that wants it gets it. Returns how many
    /// do. No callback is called for it, and queues have no bounds.
    pub(super) fn publish(&self, message: Message) -> usize {
        self.deliver(&Arc::new(message))
    }

    /// Takes the next `count` messages that the plugin has published, in order; fewer if there are no more in that time.
    pub(super) fn published(&self, count: usize, limit: Duration) -> Vec<Message> {
        let mut state = self.wait(limit, |state| state.published.len() >= count);
        let count = count.min(state.published.len());
        state.published.drain(..count).collect()
    }

    /// What became of the messages for the subscription of that name, once so many were answered for or the time is over.
    /// `None` if the plugin has never subscribed by that name.
    pub(super) fn answered(&self, subscription: &str, count: usize, limit: Duration) -> Option<Answered> {
        let answered = |answers: &Answered| answers.delivered + answers.rejected.len();
        let state = self.wait(limit, |state| {
            state.subscriptions.get(subscription).is_some_and(|known| answered(&known.answers) >= count)
        });
        let known = state.subscriptions.get(subscription)?;
        Some(Answered { unanswered: known.waiting.len() + known.taken.len(), ..known.answers.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is so, or the time is over.
    fn wait(&self, limit: Duration, mut is_so: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let (mut state, until) = (self.state(), Instant::now().checked_add(limit));
        while !is_so(&state) {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => break,
                Some(left) => self.changed.wait_timeout(state, left).map_or_else(|all| all.into_inner().0, |all| all.0),
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state
    }

    fn deliver(&self, message: &Arc<Message>) -> usize {
        let mut state = self.state();
        let wanted = state.subscriptions.values_mut().filter(|known| known.wants(message));
        let count = wanted.map(|known| known.waiting.push_back(message.clone())).count();
        self.tell(state);
        count
    }

    /// Something has changed: whoever waits looks again.
    fn tell(&self, state: MutexGuard<'_, State>) {
        for open in state.ends.values() {
            // SAFETY: it is there until it is taken out of the map.
            let end = unsafe { &*open.0 };
            let is_ready = state.is_closed || end.subscription.as_ref().is_some_and(|name| state.has_waiting(name));
            end.watchers().iter_mut().for_each(|watcher| watcher.set(is_ready));
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The instance is about to be stopped.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.tell(state);
    }

    fn open(
        &self,
        handle: Arc<dyn HasBus>,
        subscription: Option<(String, Subscribed)>,
    ) -> Result<(StreamIo, u64), String> {
        let mut state = self.state();
        if state.is_closed {
            return Err("the instance is being stopped".into());
        }
        let name = subscription.as_ref().map(|(name, _)| name.clone());
        if let Some((name, subscribed)) = subscription {
            if state.subscriptions.get(&name).is_some_and(|known| known.is_open) {
                return Err(format!("it has a subscription named `{name}` already"));
            }
            state.subscriptions.insert(name, subscribed);
        }
        let end = End { bus: handle.bus().clone(), _handle: handle, subscription: name, watchers: Mutex::default() };
        let end = Box::into_raw(Box::new(end));
        state.last += 1;
        let id = state.last;
        state.ends.insert(id, Open(end));
        self.changed.notify_all();
        let size = size_of::<StreamIo>() as u32;
        Ok((StreamIo { size, reserved: 0, stream: end.cast(), send, marks, receive, answer, wait, watch }, id))
    }

    fn remove(&self, id: u64) -> Option<Box<End>> {
        let mut state = self.state();
        let Open(end) = state.ends.remove(&id)?;
        // SAFETY: it was made by `Box::into_raw`, and is taken out once.
        let end = unsafe { Box::from_raw(end) };
        if let Some(known) = end.subscription.as_ref().and_then(|name| state.subscriptions.get_mut(name)) {
            known.is_open = false;
        }
        Some(end)
    }
}

impl State {
    fn has_waiting(&self, name: &str) -> bool {
        self.subscriptions.get(name).is_some_and(|known| !known.waiting.is_empty())
    }
}

impl End {
    fn bus(&self) -> &Bus {
        &self.bus
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<Watcher>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) -> std::io::Result<OwnedFd> {
        let (write, read) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let watched = read.try_clone()?;
        self.watchers().push(Watcher { told: false, write, read });
        let bus = self.bus();
        bus.tell(bus.state());
        Ok(watched.into())
    }
}

impl Watcher {
    fn set(&mut self, is_ready: bool) {
        if is_ready == self.told {
            return;
        }
        self.told = is_ready;
        // One byte has room, and is there to be taken, unless the plugin has read what it should only watch.
        let _ = if is_ready { self.write.write(&[0]) } else { self.read.read(&mut [0]) };
    }
}

fn duration(timeout_ns: u64) -> Duration {
    if timeout_ns == STREAM_FOREVER { Duration::MAX } else { Duration::from_nanos(timeout_ns) }
}

/// # Safety
/// `handle` is that of an instance whose `Running` is still there, or which has an end that is open.
unsafe fn handle<H>(handle: *const boundary::Handle) -> Arc<H> {
    let handle = handle.cast::<H>();
    // SAFETY: it was made by `Arc::as_ptr`, and by the contract somebody has one.
    unsafe {
        Arc::increment_strong_count(handle);
        Arc::from_raw(handle)
    }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn publish<H: HasBus>(
    of: *const boundary::Handle,
    io: *mut StreamIo,
    id: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: by the contract.
    let handle = unsafe { handle::<H>(of) };
    // SAFETY: by the contract.
    unsafe { opened(handle.bus().open(handle.clone(), None), io, id, why) }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn subscribe<H: HasBus>(
    of: *const boundary::Handle,
    spec: *const BusSpec,
    io: *mut StreamIo,
    id: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: by the contract.
    let (handle, subscribed) = unsafe { (handle::<H>(of), Subscribed::read(spec)) };
    let open = subscribed.and_then(|subscribed| handle.bus().open(handle.clone(), Some(subscribed)));
    // SAFETY: by the contract.
    unsafe { opened(open, io, id, why) }
}

/// # Safety
/// All of them are the caller's, for the call.
unsafe fn opened(open: Result<(StreamIo, u64), String>, io: *mut StreamIo, id: *mut u64, why: *mut Text) -> u32 {
    match open {
        Ok((table, number)) => {
            // SAFETY: by the contract; the SDK that calls is this one, so the structure has its size.
            unsafe {
                io.write(table);
                id.write(number);
            }
            0
        }
        Err(refused) => {
            // SAFETY: by the contract.
            unsafe { (*why).push_str(&refused) };
            1
        }
    }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn close<H: HasBus>(of: *const boundary::Handle, id: u64) -> u32 {
    // SAFETY: by the contract.
    let handle = unsafe { handle::<H>(of) };
    u32::from(handle.bus().remove(id).is_none())
}

/// # Safety
/// `stream` is an end, which is not closed while it is used.
unsafe fn end<'a>(stream: *mut Stream) -> &'a End {
    // SAFETY: the caller promises it.
    unsafe { &*stream.cast::<End>() }
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn send(
    stream: *mut Stream,
    messages: *mut Message,
    count: usize,
    _mark: *const StreamMark,
    _timeout_ns: u64,
) -> u32 {
    // SAFETY: `stream` is an end; `count` messages are the plugin's, for the call.
    let (end, messages) = unsafe {
        let messages = if count == 0 { &mut [] } else { std::slice::from_raw_parts_mut(messages, count) };
        (end(stream), messages)
    };
    if end.bus().state().is_closed {
        return STREAM_CLOSED;
    }
    for message in messages.iter_mut().map(std::mem::take) {
        end.bus().state().published.push_back(message.clone());
        end.bus().deliver(&Arc::new(message));
    }
    STREAM_OK
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn marks(_: *mut Stream, _: *mut List<Header>) -> u32 {
    STREAM_OK
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn receive(
    stream: *mut Stream,
    most: usize,
    timeout_ns: u64,
    messages: *mut *const *const Message,
    count: *mut usize,
) -> u32 {
    // SAFETY: `stream` is an end.
    let end = unsafe { end(stream) };
    let Some(name) = &end.subscription else { return STREAM_CLOSED };
    let bus = end.bus();
    let mut state = bus.wait(duration(timeout_ns), |state| state.is_closed || state.has_waiting(name));
    if state.is_closed {
        return STREAM_CLOSED;
    }
    let Some(known) = state.subscriptions.get_mut(name).filter(|known| !known.waiting.is_empty()) else {
        return STREAM_NOTHING;
    };
    let shown = known.receive(most);
    // SAFETY: both are the plugin's.
    unsafe {
        messages.write(shown.as_ptr());
        count.write(shown.len());
    }
    bus.tell(state);
    STREAM_OK
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn answer(stream: *mut Stream, count: usize, answer: u32, why: Str) -> usize {
    // SAFETY: `stream` is an end; the text is readable for the call.
    let (end, why) = unsafe { (end(stream), why.to_text().into_owned()) };
    let Some(name) = &end.subscription else { return 0 };
    let mut state = end.bus().state();
    let answered = state.subscriptions.get_mut(name).map_or(0, |known| known.answer(count, answer, why));
    end.bus().tell(state);
    answered
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn wait(stream: *mut Stream, timeout_ns: u64) -> u32 {
    // SAFETY: `stream` is an end.
    let end = unsafe { end(stream) };
    let state = end.bus().wait(duration(timeout_ns), |state| state.is_closed);
    if state.is_closed { STREAM_CLOSED } else { STREAM_NOTHING }
}

/// # Safety
/// As the boundary says.
unsafe extern "C" fn watch(stream: *mut Stream) -> i32 {
    // SAFETY: `stream` is an end.
    unsafe { end(stream) }.watch().map_or(-1, IntoRawFd::into_raw_fd)
}

#[cfg(test)]
mod tests;
