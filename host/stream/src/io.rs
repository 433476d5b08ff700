//! What endpoints exchange messages with: the functions of [`StreamIo`], whose stream is one of the ends.

use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{
    STREAM_CLOSED, STREAM_DEAD, STREAM_DELIVERED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, STREAM_RETRY,
    STREAM_TOO_DEEP, Str, Stream, StreamIo, StreamMark,
};
use hookrail_abi::{Header, List, Message};
use hookrail_model::time::later;
use hookrail_model::{guarded, log};

use crate::flow::{Flow, Outlet, Sending, Sends};
use crate::item::Item;
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
/// While `run` is called, one thread at a time uses it.
pub(crate) struct SourceEnd {
    flow: Arc<Flow>,
    inlet: Arc<Inlet>,
    tracker: Arc<Tracker>,
    sending: UnsafeCell<Sending>,
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
    taken: UnsafeCell<VecDeque<Item>>,
    /// Where the messages of the last `receive` stand.
    shown: UnsafeCell<Vec<*const Message>>,
    /// How long to wait before messages are given again.
    pause: Cell<Duration>,
}

impl SourceEnd {
    pub(crate) fn new(flow: &Arc<Flow>, inlet: &Arc<Inlet>) -> Self {
        SourceEnd { flow: flow.clone(), inlet: inlet.clone(), tracker: inlet.tracker(), sending: UnsafeCell::default() }
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
        let (taken, shown, pause) = (UnsafeCell::default(), UnsafeCell::default(), Cell::new(PAUSES.0));
        let reader = outlet.queue.reader();
        SinkEnd { flow: flow.clone(), outlet: outlet.clone(), reader, taken, shown, pause }
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

    fn receive(&self, most: usize, deadline: Option<Instant>) -> Result<&[*const Message], u32> {
        // SAFETY: by the type invariant nobody else uses them.
        let (taken, shown) = unsafe { (&mut *self.taken.get(), &mut *self.shown.get()) };
        shown.clear();
        let before = taken.len();
        match self.outlet.queue.take(self.reader, most, deadline, taken) {
            Taken::Closed => return Err(STREAM_CLOSED),
            Taken::Nothing => return Err(STREAM_NOTHING),
            Taken::Some => {}
        }
        shown.extend(taken.range(before..).map(|item| Arc::as_ptr(&item.message)));
        Ok(shown)
    }

    fn answer(&self, count: usize, answer: u32, why: &str) -> usize {
        // SAFETY: by the type invariant nobody else uses it.
        let taken = unsafe { &mut *self.taken.get() };
        let (points, all) = (&self.flow.points, taken.len());
        let count = count.min(all);
        match answer {
            // Of nothing nothing follows.
            STREAM_DELIVERED | STREAM_DEAD if count == 0 => 0,
            STREAM_DELIVERED => {
                self.outlet.deliver(points, taken, count);
                self.pause.set(PAUSES.0);
                count
            }
            STREAM_DEAD => {
                self.outlet.reject(points, taken, count, why);
                count
            }
            STREAM_RETRY => {
                log!(warn, "{all} messages are given again after {:?}: {why}", self.pause.get());
                self.outlet.put_back(points, taken);
                // It is the sink that waits, since nobody else can give it anything.
                self.outlet.queue.wait_until_closed(self.reader, later(Instant::now(), self.pause.get()));
                self.pause.set((self.pause.get() * 2).min(PAUSES.1));
                all
            }
            _ => 0,
        }
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
        if !end.flow.wait_for_room(deadline(timeout_ns), || end.inlet.is_closed()) {
            return if end.inlet.is_closed() { STREAM_CLOSED } else { STREAM_NOTHING };
        }
        // SAFETY: by the type invariant nobody else uses it.
        let sending = unsafe { &mut *end.sending.get() };
        end.inlet.sent.add(messages.len());
        end.flow.send(sending, messages, &end.tracker, mark);
        STREAM_OK
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
