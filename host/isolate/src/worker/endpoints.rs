//! Sources and sinks in this process: each runs on a thread of its own, and asks its host for what it exchanges messages
//! with.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::from_ref;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_NOTHING, STREAM_OK, STREAM_RETRY, Str, Stream, StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};
use hookrail_dispatch::reclaim;
use hookrail_engine::{Accepts, Actor, Endpoint};
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::guarded;
use hookrail_model::note::EndpointKind;

use crate::wire::{EndpointId, FromEndpoint, PluginId, Receiver, Sender, ToEndpoint};

/// The endpoints of all plugins.
#[derive(Default)]
pub(super) struct Endpoints {
    last: EndpointId,
    /// Those that were accepted and not run yet.
    accepted: BTreeMap<EndpointId, Accepted>,
    /// The threads of the others; some may have ended.
    running: Vec<(PluginId, JoinHandle<()>)>,
}

struct Accepted {
    plugin: PluginId,
    instance: String,
    endpoint: Box<dyn Endpoint>,
}

impl Endpoints {
    pub(super) fn accept(
        &mut self,
        of: &Arc<dyn Accepts>,
        (plugin, instance): (PluginId, String),
        (kind, name): (EndpointKind, &str),
        config: &str,
    ) -> Result<EndpointId, Error> {
        let endpoint = of.accept(kind, name, config)?;
        self.last += 1;
        self.accepted.insert(self.last, Accepted { plugin, instance, endpoint });
        Ok(self.last)
    }

    pub(super) fn free(&mut self, id: EndpointId) {
        self.accepted.remove(&id);
    }

    /// Runs one, which ends with its thread.
    pub(super) fn run(&mut self, id: EndpointId, socket: Option<OwnedFd>) -> Result<(), Error> {
        let failed = |cause| Error::system("run an endpoint in its worker", cause);
        let missing = || failed(io::ErrorKind::NotFound.into());
        let (accepted, socket) = self.accepted.remove(&id).zip(socket).ok_or_else(missing)?;
        let Accepted { plugin, instance, mut endpoint } = accepted;
        let socket = UnixStream::from(socket);
        let sender = Sender::of_messages(socket.try_clone().map_err(failed)?);
        let run = move || {
            let end = End::of(sender, Receiver::of_messages(socket));
            // Before the host hears of it: then nothing of it is in use.
            let ran = reclaim::running(|| {
                // SAFETY: the end stays until this returns, and is used by this call alone.
                let ran = unsafe { endpoint.run(&end.io()) };
                drop(endpoint);
                match end.too_long.take() {
                    Some(why) => Err(Error::misbehaved(instance, Misbehaved::failed("run", why))),
                    None => ran,
                }
            });
            // Without a host this process ends.
            let _ = end.sender.send(&FromEndpoint::Ran(ran.map_err(Into::into)), &[]);
        };
        let thread = Builder::new().name("hookrail-endpoint".into()).spawn(run).map_err(failed)?;
        self.running.retain(|(_, thread)| !thread.is_finished());
        self.running.push((plugin, thread));
        Ok(())
    }

    /// Waits until none of a plugin runs, which is about to be stopped: its host has told them to end, or speaks with them no
    /// more. If they do not, the host ends this process.
    pub(super) fn end(&mut self, plugin: PluginId) {
        self.accepted.retain(|_, accepted| accepted.plugin != plugin);
        for (_, thread) in self.running.extract_if(.., |(of, _)| *of == plugin) {
            // One that has panicked has ended, too.
            let _ = thread.join();
        }
    }
}

/// The end of an endpoint's socket.
///
/// # Invariants
/// One thread at a time uses it, but for `close`.
pub(super) struct End {
    sender: Sender,
    receiver: UnsafeCell<Receiver>,
    /// What a sink has received and not answered for. Each has a place of its own, which it keeps.
    taken: UnsafeCell<VecDeque<Box<Message>>>,
    /// Where those of the last `receive` stand.
    shown: UnsafeCell<Vec<*const Message>>,
    /// Whether the host does not answer any more.
    is_lost: Cell<bool>,
    /// What did not fit into a frame; then the endpoint has failed.
    too_long: RefCell<Option<String>>,
}

impl End {
    pub(super) fn new(socket: UnixStream) -> io::Result<Self> {
        Ok(Self::of(Sender::of_messages(socket.try_clone()?), Receiver::of_messages(socket)))
    }

    fn of(sender: Sender, receiver: Receiver) -> Self {
        End {
            sender,
            receiver: UnsafeCell::new(receiver),
            taken: UnsafeCell::default(),
            shown: UnsafeCell::default(),
            is_lost: Cell::new(false),
            too_long: RefCell::default(),
        }
    }

    /// Nobody is to use it any more: who does hears that it is closed. Any thread, also while another one uses it.
    pub(super) fn close(&self) {
        // Without a host this process ends.
        let _ = self.sender.send(&FromEndpoint::Ran(Ok(())), &[]);
    }

    pub(super) fn io(&self) -> StreamIo {
        StreamIo {
            size: size_of::<StreamIo>() as u32,
            reserved: 0,
            stream: from_ref(self).cast_mut().cast(),
            send,
            marks,
            receive,
            answer,
            wait,
            watch,
        }
    }

    /// Asks the host; `None` if it does not answer any more.
    fn ask(&self, asked: &FromEndpoint) -> Option<(ToEndpoint, Vec<OwnedFd>)> {
        if self.is_lost.get() {
            return None;
        }
        if let Err(error) = self.sender.send(asked, &[]) {
            self.is_lost.set(true);
            if error.kind() == io::ErrorKind::FileTooLarge {
                *self.too_long.borrow_mut() = Some(format!("it sends {error}"));
            }
            return None;
        }
        // SAFETY: by the type invariant nobody else uses it.
        let answered = unsafe { &mut *self.receiver.get() }.receive().ok().flatten();
        self.is_lost.set(answered.is_none());
        answered
    }

    /// What came of it: a status.
    fn status(&self, asked: &FromEndpoint) -> u32 {
        match self.ask(asked) {
            Some((ToEndpoint::Status(status), _)) => status,
            _ => STREAM_CLOSED,
        }
    }

    fn receive(&self, most: usize, timeout_ns: u64) -> Result<&[*const Message], u32> {
        let messages = match self.ask(&FromEndpoint::Receive { thread: this_thread(), most: most as u64, timeout_ns }) {
            Some((ToEndpoint::Messages(messages), _)) => messages,
            Some((ToEndpoint::Status(STREAM_NOTHING), _)) => return Err(STREAM_NOTHING),
            _ => return Err(STREAM_CLOSED),
        };
        // SAFETY: by the type invariant nobody else uses them.
        let (taken, shown) = unsafe { (&mut *self.taken.get(), &mut *self.shown.get()) };
        shown.clear();
        for message in messages {
            let message = Box::new(message);
            shown.push(from_ref(&*message));
            taken.push_back(message);
        }
        Ok(shown)
    }
}

/// So that the host knows who waits for itself.
fn this_thread() -> u64 {
    Actor::current().number()
}

/// # Safety
/// `stream` is that of an end, which is used by one thread at a time, and stays for `'a`.
unsafe fn end<'a>(stream: *mut Stream) -> &'a End {
    // SAFETY: the caller promises it.
    unsafe { &*stream.cast::<End>() }
}

/// # Safety
/// As `stream/1` says.
pub(super) unsafe extern "C" fn send(
    stream: *mut Stream,
    messages: *mut Message,
    count: usize,
    mark: *const StreamMark,
    timeout_ns: u64,
) -> u32 {
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of an end; the messages and the mark are the source's, for this call.
        let (end, messages, mark) = unsafe {
            let messages = if count == 0 { &mut [] } else { std::slice::from_raw_parts_mut(messages, count) };
            (end(stream), messages, mark.as_ref())
        };
        // SAFETY: the texts are readable for the call.
        let mark = mark.map(|mark| unsafe { (mark.key.to_text().into_owned(), mark.value.to_text().into_owned()) });
        // They are the source's until the host has taken them.
        let asked = FromEndpoint::Send { thread: this_thread(), messages: messages.to_vec(), mark, timeout_ns };
        let status = end.status(&asked);
        if status == STREAM_OK {
            messages.iter_mut().for_each(|message| *message = Message::empty());
        }
        status
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn marks(stream: *mut Stream, marks: *mut List<Header>) -> u32 {
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of an end; the list is the source's, for this call.
        let (end, marks) = unsafe { (end(stream), &mut *marks) };
        let Some((ToEndpoint::Marks(kept), _)) = end.ask(&FromEndpoint::Marks) else { return STREAM_CLOSED };
        kept.into_iter().for_each(|(key, value)| marks.push(Header { key: key.into(), value: value.into() }));
        STREAM_OK
    })
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
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of an end.
        match unsafe { end(stream) }.receive(most, timeout_ns) {
            Ok(shown) => {
                // SAFETY: both are the sink's.
                unsafe {
                    messages.write(shown.as_ptr());
                    count.write(shown.len());
                }
                STREAM_OK
            }
            Err(status) => status,
        }
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn answer(stream: *mut Stream, count: usize, answer: u32, why: Str) -> usize {
    guarded(0, || {
        // SAFETY: `stream` is that of an end; the text is readable for the call.
        let (end, why) = unsafe { (end(stream), why.to_text().into_owned()) };
        let asked = FromEndpoint::Answer { count: count as u64, answer, why };
        let Some((ToEndpoint::Answered(answered), _)) = end.ask(&asked) else { return 0 };
        // SAFETY: by the type invariant nobody else uses it.
        let taken = unsafe { &mut *end.taken.get() };
        let gone = if answer == STREAM_RETRY { taken.len() } else { (answered as usize).min(taken.len()) };
        taken.drain(..gone);
        answered as usize
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn wait(stream: *mut Stream, timeout_ns: u64) -> u32 {
    // SAFETY: `stream` is that of an end.
    guarded(STREAM_CLOSED, || unsafe { end(stream) }.status(&FromEndpoint::Wait { timeout_ns }))
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn watch(stream: *mut Stream) -> i32 {
    guarded(-1, || {
        // SAFETY: `stream` is that of an end.
        let answered = unsafe { end(stream) }.ask(&FromEndpoint::Watch);
        let descriptor = answered.and_then(|(_, descriptors)| descriptors.into_iter().next());
        descriptor.map_or(-1, IntoRawFd::into_raw_fd)
    })
}
