//! Calls into a worker over a lane, and the same work over a bare ping-pong.

use std::cell::RefCell;
use std::ffi::c_void;
use std::process::Child;
use std::ptr::{from_mut, from_ref};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hookrail_abi::Message;
use hookrail_isolate::flat::{Codec, Scratch};
use hookrail_isolate::lane::{
    Answered, Area, Change, Handler, HostLane, Notified, Patience, Received, Region, Request, Served, Spin, WorkerLane,
};

use super::other_side::{asked, start};
use super::ping_pong::{PingPong, Wait, Work, serve};

/// How much fits a lane.
const ROOM: usize = 4 << 20;

/// What every callback does with the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    Nothing,
    /// The value of a header.
    Header,
    /// The last byte of the body.
    Body,
}

const EDITS: [(&str, Edit); 3] = [("nothing", Edit::Nothing), ("header", Edit::Header), ("body", Edit::Body)];
const WAITS: [(&str, Wait); 2] = [("spin", Wait::Spin), ("sleep", Wait::Sleep)];

/// Says which of them it is to the other side, and which one was said.
fn name<T: Copy + PartialEq>(all: &[(&'static str, T)], one: T) -> &'static str {
    all.iter().find(|(_, other)| *other == one).expect("all of them").0
}

fn named<T: Copy>(all: &[(&str, T)], name: &str) -> T {
    all.iter().find(|(other, _)| *other == name).expect("our own words").1
}

fn spin(wait: Wait) -> Spin {
    if wait == Wait::Spin { Spin::adaptive() } else { Spin::never() }
}

/// If this process is to be the other side of a lane or of a ping-pong, it is that and ends.
pub(crate) fn be_the_other_side() {
    let Some((file, args)) = asked() else { return };
    let [kind, wait, edit, ..] = &args[..] else { panic!("three words: {args:?}") };
    let wait = named(&WAITS, wait);
    match &**kind {
        "lane" => {
            let region = Arc::new(Region::open(file).expect("ours"));
            let edits = Edits { flat: Flat::new(Message::empty(), named(&EDITS, edit)).into() };
            WorkerLane::take(&region, 0, spin(wait)).expect("it is free").serve(&edits).expect("the host is ours");
        }
        "flat" => serve(&file, ROOM, wait, Flat::new(Message::empty(), named(&EDITS, edit))),
        "copied" => serve(&file, ROOM, wait, Copied { bytes: Vec::new() }),
        other => panic!("{other}"),
    }
    std::process::exit(0);
}

/// A ping-pong that encodes and decodes as a lane does.
pub(crate) fn bare(wait: Wait, message: Message, edit: Edit) -> PingPong<Flat> {
    PingPong::new(ROOM, wait, Flat::new(message, edit), &["flat", name(&WAITS, wait), name(&EDITS, edit)])
}

/// A ping-pong that copies so many bytes in and out on both sides.
pub(crate) fn copied(len: usize) -> PingPong<Copied> {
    let work = Copied { bytes: vec![b'x'; len] };
    PingPong::new(ROOM, Wait::Spin, work, &["copied", "spin", "nothing"])
}

impl Edit {
    fn apply(self, message: &mut Message) {
        match self {
            Edit::Nothing => {}
            Edit::Header => {
                let value = if message.headers[1].value == "text/plain" { "text/html." } else { "text/plain" };
                message.headers.as_mut_slice()[1].value.set(value);
            }
            Edit::Body => {
                let last = message.body.len() - 1;
                message.body.as_mut_slice()[last] ^= 1;
            }
        }
    }
}

/// A message with two headers.
pub(crate) fn message(body: usize) -> Message {
    let mut message = Message::new("sensors.hall.temperature", vec![b'x'; body]);
    message.source.set("client-42");
    message.add_header("trace", "00-4bf92f3577b34da6a3ce929d0e0e4736-00");
    message.add_header("content-type", "text/plain");
    message
}

/// A message, and what is needed to encode and decode it.
pub(crate) struct Flat {
    message: Message,
    scratch: Scratch,
    edit: Edit,
}

impl Flat {
    fn new(message: Message, edit: Edit) -> Self {
        Flat { message, scratch: Scratch::default(), edit }
    }

    fn encode(&self, room: Area<'_>) -> Option<usize> {
        // SAFETY: it is a message.
        unsafe { Codec::Message.encode_into(from_ref(&self.message).cast(), room) }
    }

    fn decode(&mut self, from: Area<'_>) {
        let to: *mut c_void = from_mut(&mut self.message).cast();
        // SAFETY: it is a message, and ours.
        unsafe { Codec::Message.decode(from, to, &mut self.scratch) }.expect("it was encoded");
    }

    /// Decodes, edits, and passes the changes on to `reply`, if there are any.
    fn edited<R>(&mut self, from: Area<'_>, reply: impl FnOnce(Option<&dyn Fn(Area<'_>) -> Option<usize>>) -> R) -> R {
        self.decode(from);
        self.edit.apply(&mut self.message);
        let message: *const c_void = from_ref(&self.message).cast();
        // SAFETY: it is a message, here and below.
        match unsafe { Codec::Message.changes(message, from, &mut self.scratch) } {
            None => reply(None),
            Some(changes) => reply(Some(&|room| {
                // SAFETY: as above.
                unsafe { Codec::Message.encode_changes(message, changes, &self.scratch, room) }
            })),
        }
    }
}

/// The same encoding and decoding as over a lane.
impl Work for Flat {
    fn write(&mut self, room: Area<'_>) -> usize {
        self.encode(room).expect("there is room")
    }

    fn read_back(&mut self, bytes: Area<'_>) {
        if !bytes.is_empty() {
            self.decode(bytes);
        }
    }

    fn serve(&mut self, bytes: Area<'_>, room: Area<'_>) -> usize {
        self.edited(bytes, |changes| changes.map_or(0, |encode| encode(room).expect("there is room")))
    }
}

/// Bytes, copied in and out on both sides.
pub(crate) struct Copied {
    bytes: Vec<u8>,
}

impl Work for Copied {
    fn write(&mut self, room: Area<'_>) -> usize {
        room.write(0, &self.bytes).expect("there is room");
        self.bytes.len()
    }

    fn read_back(&mut self, bytes: Area<'_>) {
        self.bytes.clear();
        bytes.append_to(&mut self.bytes);
    }

    fn serve(&mut self, bytes: Area<'_>, room: Area<'_>) -> usize {
        self.read_back(bytes);
        self.write(room)
    }
}

/// The worker: its callbacks edit the message, and continue.
struct Edits {
    flat: RefCell<Flat>,
}

impl Handler for Edits {
    fn call(&self, _lane: &WorkerLane, mut crossing: Served<'_>) -> Answered {
        for index in 0..crossing.request().callbacks().len() {
            crossing.begin(index);
            crossing.end(0, 0);
        }
        let from = crossing.payload();
        self.flat.borrow_mut().edited(from, |changes| match changes {
            None => crossing.unchanged(),
            Some(encode) => crossing.changed(encode),
        })
    }

    fn note(&self, _lane: &WorkerLane, _note: &Received, payload: Area<'_>) {
        self.flat.borrow_mut().decode(payload);
    }
}

/// A lane, with the process that serves it.
pub(crate) struct Lane {
    region: Arc<Region>,
    lane: HostLane,
    flat: RefCell<Flat>,
    dead: AtomicBool,
    other: Child,
}

impl Lane {
    pub(crate) fn new(wait: Wait, message: Message, edit: Edit) -> Self {
        let region = Arc::new(Region::create(1, ROOM).expect("memory"));
        let lane = HostLane::claim(&region, spin(wait)).expect("it is free");
        let other = start(&region.file(), &["lane", name(&WAITS, wait), name(&EDITS, edit)]);
        Lane { region, lane, flat: Flat::new(message, edit).into(), dead: AtomicBool::new(false), other }
    }

    /// So many calls, each with so many callbacks.
    pub(crate) fn call(&self, rounds: u64, callbacks: usize) -> Duration {
        // The first ones find out again whether spinning pays off.
        self.calls(100, callbacks);
        let start = Instant::now();
        self.calls(rounds, callbacks);
        start.elapsed()
    }

    fn calls(&self, rounds: u64, callbacks: usize) {
        let mut flat = self.flat.borrow_mut();
        let numbers: Vec<_> = (0..callbacks as u32).collect();
        let request = Request { callbacks: &numbers, flags: 0, codec: 0, context: None };
        let patience = Patience { deadline: None, each: Duration::ZERO, dead: &self.dead };
        for _ in 0..rounds {
            let reply = self.lane.call(&request, |room| flat.encode(room), &patience, |_, _, _| 0).expect("a reply");
            assert!(reply.ran() == callbacks && reply.verdict() == 0);
            if let Change::Changed(area) = reply.change() {
                flat.decode(area);
            }
        }
    }

    /// So many notes, on the side that sends them, while the queue has room.
    pub(crate) fn notify(&self, rounds: u64) -> Duration {
        const BURST: u64 = 256;
        let note = Request { callbacks: &[1], flags: 0, codec: 0, context: None };
        let (mut left, mut took) = (rounds, Duration::ZERO);
        while left > 0 {
            let burst = left.min(BURST);
            let flat = self.flat.borrow();
            let start = Instant::now();
            for _ in 0..burst {
                assert_eq!(self.lane.notify(&note, |room| flat.encode(room)), Notified::Queued);
            }
            took += start.elapsed();
            left -= burst;
            // As many fit the queue, so there was room; this waits until there is again.
            while self.lane.notes_pending() > 0 {
                std::thread::yield_now();
            }
        }
        took
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.region.poison();
        self.other.wait().expect("it ends");
    }
}
