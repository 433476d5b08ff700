//! What endpoints exchange messages with: the functions of [`StreamIo`], whose stream is one of the ends.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::{swap, take};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_DEAD, STREAM_DELIVERED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, STREAM_OWN_QUEUE,
    STREAM_RETRY, STREAM_TOO_DEEP, Str, Stream, StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};
use hookrail_model::time::later;
use hookrail_model::{guarded, log};
use parking_lot::Mutex;

use crate::flow::{Batch, Flow, Sending, Sends};
use crate::item::Item;
use crate::outlet::{NotSent, Outlet};
use crate::queue::Taken;
use crate::receipt::Tracker;
use crate::source::Inlet;

/// The longest key and value of a mark, in bytes.
const LONGEST_KEY: usize = 1 << 10;
const LONGEST_VALUE: usize = 64 << 10;
/// The shortest and the longest pause before messages are given again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// What a source sends with.
///
/// # Invariants
/// While `run` is called, one thread at a time uses it. That one may do so within itself: a callback that it has run sends
/// on the same end, say. So what is in use is taken out.
pub(crate) struct SourceEnd {
    flow: Arc<Flow>,
    inlet: Arc<Inlet>,
    tracker: Arc<Tracker>,
    /// Not there while it is in use.
    sending: Cell<Option<Box<Sending>>>,
}

/// What a sink receives with.
///
/// # Invariants
/// As for [`SourceEnd`].
pub(crate) struct SinkEnd {
    flow: Arc<Flow>,
    outlet: Arc<Outlet>,
    /// The number of its endpoint.
    reader: u64,
    /// What was taken and not answered for.
    taken: Mutex<VecDeque<Item>>,
    /// What was taken and given up by [`retire`](Self::retire), since it may still be read.
    given_up: Mutex<Vec<Arc<Message>>>,
    /// What is being answered for; empty between two calls.
    answered: Cell<VecDeque<Item>>,
    /// Where the messages of the last `receive` stand.
    shown: Cell<Vec<*const Message>>,
    /// How long to wait before messages are given again.
    pause: Cell<Duration>,
}

impl SourceEnd {
    pub(crate) fn new(flow: &Arc<Flow>, inlet: &Arc<Inlet>) -> Self {
        SourceEnd { flow: flow.clone(), inlet: inlet.clone(), tracker: inlet.tracker(), sending: Cell::default() }
    }

    /// What its endpoint is run with, for as long as this stays.
    pub(crate) fn io(&self) -> StreamIo {
        StreamIo {
            size: size_of::<StreamIo>() as u32,
            reserved: 0,
            stream: from_ref(self).cast_mut().cast(),
            send,
            marks,
            receive: receive_nothing,
            answer: answer_nothing,
            wait,
            watch,
        }
    }
}

impl SinkEnd {
    pub(crate) fn new(flow: &Arc<Flow>, outlet: &Arc<Outlet>) -> Self {
        SinkEnd {
            flow: flow.clone(),
            outlet: outlet.clone(),
            reader: outlet.queue.reader(),
            taken: Mutex::default(),
            given_up: Mutex::default(),
            answered: Cell::default(),
            shown: Cell::default(),
            pause: Cell::new(PAUSES.0),
        }
    }

    /// What its endpoint is run with, for as long as this stays.
    pub(crate) fn io(&self) -> StreamIo {
        StreamIo {
            size: size_of::<StreamIo>() as u32,
            reserved: 0,
            stream: from_ref(self).cast_mut().cast(),
            send: send_nothing,
            marks: no_marks,
            receive,
            answer,
            wait: wait_of_sink,
            watch: watch_of_sink,
        }
    }

    /// Nobody uses it any more: what was not answered for goes back.
    pub(crate) fn end(mut self) {
        self.outlet.put_back(&self.flow.points, self.taken.get_mut());
    }

    /// Nobody answers for what was taken any more, though it may still be read: it goes back. Any thread, while another one
    /// uses this, which gets and answers for nothing from now on: the queue is closed.
    pub(crate) fn retire(&self) {
        let mut left = take(&mut *self.taken.lock());
        self.given_up.lock().extend(left.iter().map(|item| item.message.clone()));
        self.outlet.put_back(&self.flow.points, &mut left);
    }

    /// Returns where the addresses of messages stand until it is called again, and how many they are.
    fn receive(&self, most: usize, deadline: Option<Instant>) -> Result<(*const *const Message, usize), u32> {
        // Locked while it waits: whoever retires this has closed the queue.
        let mut taken = self.taken.lock();
        let before = taken.len();
        let came = self.outlet.queue.take(self.reader, most, deadline, &mut taken);
        let mut shown = self.shown.take();
        shown.clear();
        shown.extend(taken.range(before..).map(|item| Arc::as_ptr(&item.message)));
        let at = (shown.as_ptr(), shown.len());
        self.shown.set(shown);
        match came {
            Taken::Closed => Err(STREAM_CLOSED),
            Taken::Nothing => Err(STREAM_NOTHING),
            Taken::Some => Ok(at),
        }
    }

    fn answer(&self, count: usize, answer: u32, why: &str) -> usize {
        let (points, mut taken) = (&self.flow.points, self.taken.lock());
        let all = taken.len();
        let count = match answer {
            STREAM_DELIVERED | STREAM_DEAD => count.min(all),
            STREAM_RETRY => all,
            _ => 0,
        };
        // Callbacks run meanwhile, which may receive from this end.
        let mut answered = self.answered.take();
        match count == all {
            true => swap(&mut answered, &mut taken),
            false => answered.extend(taken.drain(..count)),
        }
        drop(taken);
        match answer {
            // Of nothing nothing follows.
            STREAM_DELIVERED | STREAM_DEAD if count == 0 => {}
            STREAM_DELIVERED => {
                self.outlet.deliver(points, &mut answered);
                self.pause.set(PAUSES.0);
            }
            STREAM_DEAD => self.outlet.reject(points, &mut answered, why),
            STREAM_RETRY => {
                log!(warn, "{all} messages are given again after {:?}: {why}", self.pause.get());
                self.outlet.put_back(points, &mut answered);
                // It is the sink that waits, since nobody else can give it anything.
                self.outlet.queue.wait_until_closed(self.reader, later(Instant::now(), self.pause.get()));
                self.pause.set((self.pause.get() * 2).min(PAUSES.1));
            }
            _ => {}
        }
        self.answered.set(answered);
        count
    }
}

/// # Safety
/// `stream` is that of a source's end, which is used by one thread at a time, and stays for `'a`.
unsafe fn source<'a>(stream: *mut Stream) -> &'a SourceEnd {
    // SAFETY: the caller promises it.
    unsafe { &*stream.cast::<SourceEnd>() }
}

/// # Safety
/// As for `source`, of a sink.
unsafe fn sink<'a>(stream: *mut Stream) -> &'a SinkEnd {
    // SAFETY: the caller promises it.
    unsafe { &*stream.cast::<SinkEnd>() }
}

fn deadline(timeout_ns: u64) -> Option<Instant> {
    (timeout_ns != STREAM_FOREVER).then(|| later(Instant::now(), Duration::from_nanos(timeout_ns)))
}

fn descriptor(watched: Option<OwnedFd>) -> i32 {
    watched.map_or(-1, IntoRawFd::into_raw_fd)
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
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of a source's end; the messages and the mark are the source's, for this call.
        let (end, messages, mark) = unsafe {
            let messages = if count == 0 { &mut [] } else { std::slice::from_raw_parts_mut(messages, count) };
            (source(stream), messages, mark.as_ref())
        };
        // SAFETY: the texts are readable for the call.
        let mark = mark.map(|mark| unsafe { (mark.key.to_text(), mark.value.to_text()) });
        let mark = mark.filter(|(key, value)| {
            let has_room = end.inlet.marks.has_room(key);
            if !has_room {
                log!(error, "a mark is not kept: its source has too many keys");
            }
            let fits = has_room && key.len() <= LONGEST_KEY && value.len() <= LONGEST_VALUE;
            if !fits && has_room {
                let (key, value) = (key.len(), value.len());
                log!(error, "a mark is not kept: its key has {key} bytes, its value {value}; {LONGEST_KEY} and {LONGEST_VALUE} are allowed");
            }
            fits
        });
        let mark = mark.map(|(key, value)| (key.into_owned(), value.into_owned()));
        if end.inlet.is_closed() {
            return STREAM_CLOSED;
        }
        let Some(_sends) = Sends::begin() else { return STREAM_TOO_DEEP };
        // What is sent within this has another one.
        let mut sending = end.sending.take().unwrap_or_default();
        let (deadline, tracker) = (deadline(timeout_ns), &end.tracker);
        let sent = end.flow.send(&mut sending, Batch { messages, from: &end.inlet, tracker, mark, deadline });
        end.sending.set(Some(sending));
        match sent {
            Ok(()) => STREAM_OK,
            Err(NotSent::Closed) => STREAM_CLOSED,
            Err(NotSent::NoRoom) => STREAM_NOTHING,
            Err(NotSent::OwnQueue) => STREAM_OWN_QUEUE,
        }
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn marks(stream: *mut Stream, marks: *mut List<Header>) -> u32 {
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of a source's end; the list is the source's, for this call.
        let (end, marks) = unsafe { (source(stream), &mut *marks) };
        for (key, value) in end.inlet.marks.newest() {
            marks.push(Header { key: key.into(), value: value.into() });
        }
        STREAM_OK
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn wait(stream: *mut Stream, timeout_ns: u64) -> u32 {
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of a source's end.
        let end = unsafe { source(stream) };
        if end.inlet.wait(later(Instant::now(), Duration::from_nanos(timeout_ns))) {
            STREAM_CLOSED
        } else {
            STREAM_NOTHING
        }
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn watch(stream: *mut Stream) -> i32 {
    // SAFETY: `stream` is that of a source's end.
    guarded(-1, || descriptor(unsafe { source(stream) }.inlet.watch()))
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
        // SAFETY: `stream` is that of a sink's end.
        match unsafe { sink(stream) }.receive(most, deadline(timeout_ns)) {
            Ok((at, length)) => {
                // SAFETY: both are the sink's.
                unsafe {
                    messages.write(at);
                    count.write(length);
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
    // SAFETY: `stream` is that of a sink's end; the text is readable for the call.
    guarded(0, || unsafe { sink(stream).answer(count, answer, &why.to_text()) })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn wait_of_sink(stream: *mut Stream, timeout_ns: u64) -> u32 {
    guarded(STREAM_CLOSED, || {
        // SAFETY: `stream` is that of a sink's end.
        let end = unsafe { sink(stream) };
        let until = later(Instant::now(), Duration::from_nanos(timeout_ns));
        if end.outlet.queue.wait_until_closed(end.reader, until) { STREAM_CLOSED } else { STREAM_NOTHING }
    })
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn watch_of_sink(stream: *mut Stream) -> i32 {
    // SAFETY: `stream` is that of a sink's end.
    guarded(-1, || descriptor(unsafe { sink(stream) }.outlet.queue.watch()))
}

/// For a sink, which sends nothing.
unsafe extern "C" fn send_nothing(_: *mut Stream, _: *mut Message, _: usize, _: *const StreamMark, _: u64) -> u32 {
    STREAM_CLOSED
}

/// For a sink, which has no marks.
unsafe extern "C" fn no_marks(_: *mut Stream, _: *mut List<Header>) -> u32 {
    STREAM_OK
}

/// For a source, which receives nothing.
unsafe extern "C" fn receive_nothing(
    _: *mut Stream,
    _: usize,
    _: u64,
    _: *mut *const *const Message,
    _: *mut usize,
) -> u32 {
    STREAM_CLOSED
}

/// For a source, which has nothing to answer for.
unsafe extern "C" fn answer_nothing(_: *mut Stream, _: usize, _: u32, _: Str) -> usize {
    0
}
