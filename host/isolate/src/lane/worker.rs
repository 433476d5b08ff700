//! The worker's end of a lane.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::area::Area;
use super::frame;
use super::lost::{DEPTHS, Malformed};
use super::mail::{halves, joined};
use super::memory::Control;
use super::queue::Reader;
use super::received::Received;
use super::region::Region;
use super::served::{Answered, Served};
use super::spin::Spin;
use super::turn::{self, Seen};

/// What a worker does on its lanes.
pub trait Handler {
    /// Runs the callbacks of a request. It is called again, within itself, if the host calls while it serves an upcall.
    fn call(&self, lane: &WorkerLane, crossing: Served<'_>) -> Answered;

    /// Runs the callbacks of a note. The payload lies there until it returns.
    fn note(&self, lane: &WorkerLane, note: &Received, payload: Area<'_>);
}

/// A lane, which one thread of the worker serves.
///
/// # Invariants
/// `word` is what the turn stood at when this side last had it or passed it. While no method runs, the turn is the
/// host's; while a handler runs a request, it is this side's.
#[derive(Debug)]
pub struct WorkerLane {
    region: Arc<Region>,
    index: usize,
    word: Cell<u32>,
    /// How many requests are being served.
    depth: Cell<usize>,
    /// Where the next frame begins, in the area for payloads.
    base: Cell<usize>,
    notes: Reader,
    spin: Spin,
    /// For requests to come.
    spare: RefCell<Vec<Received>>,
}

/// Why an upcall has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unserved {
    /// The worker is to end.
    Ended,
    /// What was asked has no room behind the pending requests: nothing was asked.
    NoRoom,
    /// What was answered has no room there.
    NoRoomForAnswer,
    /// No request is being served on this lane: nobody waits who could serve it.
    Outside,
    /// The host wrote what it does not write.
    Malformed(Malformed),
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unserved::Ended => f.write_str("the worker is to end"),
            Unserved::NoRoom => f.write_str("there is no room for the question"),
            Unserved::NoRoomForAnswer => f.write_str("there is no room for the answer (max_payload)"),
            Unserved::Outside => f.write_str("no call is pending on this lane"),
            Unserved::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for Unserved {}

impl WorkerLane {
    /// How long the thread sleeps between two looks at the ring, and how often, after the last note: so that the next
    /// ones cost the host no system call.
    const NAP: Duration = Duration::from_micros(100);
    const NAPS: u32 = 16;
    /// The same where the kernel refuses the fence after which the host would wake the thread.
    const LONG_NAP: Duration = Duration::from_millis(5);

    /// The lane with that number; `None` if there is none, or it was taken before, or the region is poisoned.
    pub fn take(region: &Arc<Region>, index: usize, spin: Spin) -> Option<Self> {
        if !region.take_at(index) {
            return None;
        }
        let notes = Reader::of(&region.memory(index).control().ring);
        let (word, depth, base) = (Cell::new(0), Cell::new(0), Cell::new(0));
        // INVARIANT: a lane that nobody has served yet stands at the host's first turn, or at the worker's first.
        Some(WorkerLane { region: region.clone(), index, word, depth, base, notes, spin, spare: RefCell::default() })
    }

    /// The number of the lane in its region.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Serves requests, and notes when there are none, until the region is poisoned.
    ///
    /// # Errors
    /// If the host wrote what it does not write: then nothing on this lane makes sense any more.
    pub fn serve(&self, handler: &impl Handler) -> Result<(), Malformed> {
        let control = self.region.memory(self.index).control();
        let (mut may_spin, mut naps) = (false, 0);
        loop {
            match control.turn.look(self.word.get()) {
                Seen::Theirs => {}
                Seen::Ours(word) if turn::opens(word) => {
                    self.run(handler, word)?;
                    may_spin = true;
                    continue;
                }
                Seen::Poisoned => return Ok(()),
                Seen::Ours(_) | Seen::Nonsense => return Err(Malformed("a turn that is not its own")),
            }
            if self.run_note(handler)? {
                if naps == 0 {
                    control.ring.watch();
                }
                naps = Self::NAPS;
                continue;
            }
            let is_awaited = || control.turn.look(self.word.get()) != Seen::Theirs || !self.is_ring_empty();
            if std::mem::take(&mut may_spin) && self.spin.until(is_awaited) {
                continue;
            }
            let most = match naps {
                0 => None,
                1 if control.ring.stop_watching() => {
                    naps = 0;
                    None
                }
                1 => Some(Self::LONG_NAP),
                _ => {
                    naps -= 1;
                    Some(Self::NAP)
                }
            };
            control.turn.park(self.word.get(), most, || !self.is_ring_empty());
        }
    }

    /// Asks the host for a service, from within a request: by a kind and bytes. The answer is appended to `answer`;
    /// returns the host's status. Meanwhile the host may call, which `handler` serves.
    ///
    /// # Errors
    /// See [`Unserved`].
    pub fn upcall(
        &self,
        handler: &impl Handler,
        kind: u32,
        bytes: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<u32, Unserved> {
        if self.depth.get() == 0 {
            return Err(Unserved::Outside);
        }
        let memory = self.region.memory(self.index);
        let control = memory.control();
        let room = memory.data().from(self.base.get()).unwrap_or(Area::empty());
        room.write(0, bytes).ok_or(Unserved::NoRoom)?;
        control.mail.put(&[joined(kind, bytes.len() as u32)]);
        self.pass(control, true);
        loop {
            let word = self.wait(control)?;
            if turn::opens(word) {
                self.run(handler, word).map_err(Unserved::Malformed)?;
                continue;
            }
            let [what, fits, ..] = control.mail.take();
            let (status, len) = halves(what);
            if fits == 0 {
                return Err(Unserved::NoRoomForAnswer);
            }
            let cut_off = Unserved::Malformed(Malformed("an answer outside of its area"));
            room.part(0, len as usize).ok_or(cut_off)?.append_to(answer);
            return Ok(status);
        }
    }

    /// Runs the request that the turn came with, and passes the turn with the reply.
    #[inline(always)]
    fn run(&self, handler: &impl Handler, word: u32) -> Result<(), Malformed> {
        // INVARIANT: it was seen just now.
        self.word.set(word);
        let memory = self.region.memory(self.index);
        let control = memory.control();
        let (depth, base) = (self.depth.get(), self.base.get());
        let frame = memory.data().from(base).filter(|_| depth < DEPTHS);
        let frame = frame.ok_or(Malformed("a request outside of its area"))?;
        let mut request = self.spare.borrow_mut().pop().unwrap_or_default();
        let (payload, len) = frame::take(frame, &mut request)?;
        self.depth.set(depth + 1);
        self.base.set(base + frame::aligned(len));
        let crossing = Served::new(&request, payload, depth, frame, (&control.progress, word));
        let Answered(mail) = handler.call(self, crossing);
        self.depth.set(depth);
        self.base.set(base);
        control.mail.put(&mail?);
        self.spare.borrow_mut().push(request);
        self.pass(control, false);
        Ok(())
    }

    /// One callback of a note is done: for [`Region::notes_lost`].
    pub fn note_done(&self) {
        self.region.memory(self.index).control().taken.add();
    }

    /// Runs the next note, if there is one.
    #[inline]
    fn run_note(&self, handler: &impl Handler) -> Result<bool, Malformed> {
        if self.is_ring_empty() {
            return Ok(false);
        }
        let memory = self.region.memory(self.index);
        let mut note = self.spare.borrow_mut().pop().unwrap_or_default();
        let run = |note: &Received, payload: Area<'_>| handler.note(self, note, payload);
        let ran = self.notes.pop(memory.ring(), &memory.control().ring, &mut note, run);
        self.spare.borrow_mut().push(note);
        ran.map(|()| true)
    }

    #[inline(always)]
    fn is_ring_empty(&self) -> bool {
        self.notes.is_empty(&self.region.memory(self.index).control().ring)
    }

    fn pass(&self, control: &Control, opens: bool) {
        self.word.set(turn::next(self.word.get(), opens));
        // A word that was poisoned is so still: the next look at it finds that.
        let _ = control.turn.pass(self.word.get());
    }

    /// Waits for the turn, within an upcall.
    fn wait(&self, control: &Control) -> Result<u32, Unserved> {
        let passed = self.word.get();
        let is_passed = || control.turn.look(passed) != Seen::Theirs;
        if !self.spin.until(is_passed) {
            while control.turn.look(passed) == Seen::Theirs {
                control.turn.park(passed, None, || false);
            }
        }
        match control.turn.look(passed) {
            Seen::Ours(word) => {
                self.word.set(word);
                Ok(word)
            }
            Seen::Poisoned => Err(Unserved::Ended),
            Seen::Theirs | Seen::Nonsense => Err(Unserved::Malformed(Malformed("a turn that is not its own"))),
        }
    }
}
