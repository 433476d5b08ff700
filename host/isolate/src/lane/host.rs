//! The host's end of a lane.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::area::Area;
use super::frame::{self, Request};
use super::lost::{DEPTHS, Lost, Malformed};
use super::mail::{WORDS, halves, joined};
use super::memory::{Control, Memory};
use super::pool::Idle;
use super::queue::{Notified, Writer};
use super::region::Region;
use super::reply::Reply;
use super::spin::Spin;
use super::turn::{self, Seen};

/// A lane, which one thread of the host calls on. Dropped, it can be claimed again, unless it is abandoned.
///
/// Its methods take `&self`, since a call may be made while another is pending: from the function that serves the
/// upcalls of that one.
///
/// # Invariants
/// While no method runs, the turn is this side's, and `word` is what it stands at; or the lane is abandoned.
#[derive(Debug)]
pub struct HostLane {
    region: Arc<Region>,
    index: usize,
    word: Cell<u32>,
    /// How many calls are pending.
    depth: Cell<usize>,
    /// Where the next frame begins, in the area for payloads.
    base: Cell<usize>,
    abandoned: Cell<Option<Lost>>,
    inside: Cell<Option<usize>>,
    notes: Writer,
    spin: Spin,
}

/// Serves an upcall: gets its kind and its bytes, appends the answer, returns a status.
type Upcall<'a> = dyn FnMut(u32, &[u8], &mut Vec<u8>) -> u32 + 'a;

/// What ends the wait for a reply, beside the reply.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// When the call is too late, if it is still in the callback in which it began.
    pub deadline: Option<Instant>,
    /// How much later it may be each time another callback has begun since it was looked at.
    pub each: Duration,
    /// Whether the worker is dead. Whoever finds that it is sets this (with Release), and then poisons the region.
    pub dead: &'a AtomicBool,
}

impl Patience<'_> {
    /// How long a thread may sleep before it looks again, even if everybody keeps to the rules.
    const NAP: Duration = Duration::from_millis(50);

    #[inline(always)]
    fn is_dead(&self) -> bool {
        // Acquire: pairs with the Release of whoever found the worker dead.
        self.dead.load(Ordering::Acquire)
    }
}

/// The wait for one reply.
struct Waiting<'a> {
    patience: &'a Patience<'a>,
    deadline: Cell<Option<Instant>>,
    /// The callback that was running when that was set.
    inside: Cell<usize>,
    /// The callback that is running.
    progress: &'a dyn Fn() -> Option<usize>,
}

impl Waiting<'_> {
    /// For how long to sleep, if the wait is not over.
    fn left(&self) -> Result<Duration, Lost> {
        if self.patience.is_dead() {
            return Err(Lost::Dead);
        }
        let Some(deadline) = self.deadline.get() else { return Ok(Patience::NAP) };
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => self.left_for_the_next(),
            left => Ok(left.min(Patience::NAP)),
        }
    }

    #[cold]
    fn left_for_the_next(&self) -> Result<Duration, Lost> {
        // There are few callbacks, so this ends, whatever a worker says.
        let inside = (self.progress)().unwrap_or_default();
        if inside <= self.inside.replace(inside) {
            return Err(Lost::Late);
        }
        self.deadline.set(self.deadline.get().map(|deadline| deadline + self.patience.each));
        Ok(self.patience.each.min(Patience::NAP))
    }
}

impl HostLane {
    /// Claims a lane; `None` if all are claimed or abandoned, or the region is poisoned. The worker has to serve the
    /// lane with that [`index`](HostLane::index).
    pub fn claim(region: &Arc<Region>, spin: Spin) -> Option<Self> {
        let Idle { index, word, written } = region.take()?;
        Some(HostLane {
            region: region.clone(),
            index,
            // INVARIANT: a new lane begins with the host's turn, and one that was given back had it.
            word: Cell::new(word),
            depth: Cell::new(0),
            base: Cell::new(0),
            abandoned: Cell::new(None),
            inside: Cell::new(None),
            notes: Writer::after(written),
            spin,
        })
    }

    /// The number of the lane in its region.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many calls are pending on it: more than 0 while upcalls are served.
    pub fn depth(&self) -> usize {
        self.depth.get()
    }

    /// Which callback of the call that was lost last had begun, by its index in the request, as the worker says; `None`
    /// if none had.
    pub fn inside(&self) -> Option<usize> {
        self.inside.get()
    }

    /// Calls into the worker and waits for the reply. `encode` writes the payload to the area that it gets, and returns
    /// how many bytes it needs, even if they are more. `upcall` serves what the worker asks for meanwhile: by a kind
    /// and bytes, which are the worker's and not to be trusted; it appends its answer to the vector and returns a
    /// status. It may call on this lane.
    ///
    /// # Errors
    /// See [`Lost`].
    ///
    /// # Panics
    /// If the request has no callbacks, or more than 16.
    #[inline]
    pub fn call(
        &self,
        request: &Request<'_>,
        encode: impl FnOnce(Area<'_>) -> Option<usize>,
        patience: &Patience<'_>,
        upcall: impl FnMut(u32, &[u8], &mut Vec<u8>) -> u32,
    ) -> Result<Reply<'_>, Lost> {
        if let Some(lost) = self.abandoned.get() {
            return Err(lost);
        }
        if patience.is_dead() {
            return Err(Lost::Dead);
        }
        let (depth, base) = (self.depth.get(), self.base.get());
        if depth == DEPTHS {
            return Err(Lost::TooDeep);
        }
        let within = Within { lane: self, depth, base };
        let memory = self.region.memory(self.index);
        let frame = memory.data().from(base).unwrap_or(Area::empty());
        // There is no room for another call while the payload is encoded: it would lie where that one does.
        self.base.set(usize::MAX);
        let len = frame::put(frame, request, encode)?;
        self.base.set(base + frame::aligned(len));
        self.depth.set(depth + 1);
        let passed = turn::next(self.word.get(), true);
        let count = request.callbacks.len();
        let progress = || memory.control().progress.of(depth, passed, count);
        let waiting =
            Waiting { patience, deadline: Cell::new(patience.deadline), inside: Cell::new(0), progress: &progress };
        let result = self.exchange(memory, &waiting, upcall).and_then(|mail| Ok(Reply::take(mail, frame, count)?));
        if let Err(lost) = &result {
            self.abandon(*lost);
            self.inside.set(progress());
        }
        drop(within);
        result
    }

    /// Queues a note, which waits for no reply, unless there is no room. `encode` is as for a call, but may be asked
    /// twice. What is queued and not come to is told by [`Region::notes_lost`], and nothing is queued after that.
    ///
    /// # Panics
    /// If the note has no callbacks, or more than 16.
    pub fn notify(&self, note: &Request<'_>, encode: impl FnMut(Area<'_>) -> Option<usize>) -> Notified {
        let (tally, count) = (self.region.tally(self.index), note.callbacks.len() as u64);
        if self.abandoned.get().is_some() || !tally.add(count) {
            return Notified::Abandoned;
        }
        let memory = self.region.memory(self.index);
        let (notified, is_reader_asleep) = self.notes.push(memory.ring(), &memory.control().ring, note, encode);
        if is_reader_asleep {
            memory.control().turn.unpark();
        }
        // What stays counted is lost with the worker, and told as such.
        if notified == Notified::Queued || tally.take_back(count) { notified } else { Notified::Queued }
    }

    /// How many bytes of notes wait in the queue, as the worker says.
    pub fn notes_pending(&self) -> usize {
        self.notes.pending(&self.region.memory(self.index).control().ring)
    }

    /// Passes the turn with a request, and serves upcalls until it comes back with the reply, in short.
    #[inline(always)]
    fn exchange(
        &self,
        memory: Memory<'_>,
        waiting: &Waiting<'_>,
        mut upcall: impl FnMut(u32, &[u8], &mut Vec<u8>) -> u32,
    ) -> Result<[u64; WORDS], Lost> {
        let control = memory.control();
        self.pass(control, true)?;
        while turn::opens(self.wait(control, waiting)?) {
            self.serve(memory, waiting, &mut upcall)?;
            self.pass(control, false)?;
        }
        Ok(control.mail.take())
    }

    #[inline(always)]
    fn pass(&self, control: &Control, opens: bool) -> Result<(), Lost> {
        self.word.set(turn::next(self.word.get(), opens));
        if control.turn.pass(self.word.get()) { Ok(()) } else { Err(Lost::Dead) }
    }

    /// Waits for the turn. Returns the word that it stands at.
    #[inline(always)]
    fn wait(&self, control: &Control, waiting: &Waiting<'_>) -> Result<u32, Lost> {
        let passed = self.word.get();
        let mut seen = Seen::Theirs;
        let look = || {
            seen = control.turn.look(passed);
            seen != Seen::Theirs
        };
        if !self.spin.until(look) {
            seen = sleep_until_seen(control, passed, waiting)?;
        }
        match seen {
            Seen::Ours(word) => {
                // INVARIANT: the turn is this side's again.
                self.word.set(word);
                Ok(word)
            }
            Seen::Nonsense if !waiting.patience.is_dead() => Err(Lost::Malformed("a turn that is not its own")),
            _ => Err(Lost::Dead),
        }
    }

    /// Serves an upcall, whose answer is then to be passed.
    #[cold]
    fn serve(&self, memory: Memory<'_>, waiting: &Waiting<'_>, upcall: &mut Upcall<'_>) -> Result<(), Lost> {
        // A worker that does nothing but ask is late some time, too.
        waiting.left()?;
        let room = memory.data().from(self.base.get()).unwrap_or(Area::empty());
        let (kind, len) = halves(memory.control().mail.take()[0]);
        let (mut bytes, mut answer) = (Vec::new(), Vec::new());
        room.part(0, len as usize).ok_or(Malformed("an upcall outside of its area"))?.append_to(&mut bytes);
        let unanswered = Unanswered { lane: self };
        let status = upcall(kind, &bytes, &mut answer);
        std::mem::forget(unanswered);
        if let Some(lost) = self.abandoned.get() {
            return Err(lost);
        }
        let fits = room.write(0, &answer).is_some();
        memory.control().mail.put(&[joined(status, if fits { answer.len() as u32 } else { 0 }), fits.into()]);
        Ok(())
    }

    fn abandon(&self, lost: Lost) {
        // The innermost call knows best.
        self.abandoned.set(self.abandoned.get().or(Some(lost)));
    }
}

/// Sleeps until the turn is not the worker's any more.
#[cold]
fn sleep_until_seen(control: &Control, passed: u32, waiting: &Waiting<'_>) -> Result<Seen, Lost> {
    loop {
        let left = waiting.left()?;
        control.turn.park(passed, Some(left), || waiting.patience.is_dead());
        match control.turn.look(passed) {
            Seen::Theirs => continue,
            seen => return Ok(seen),
        }
    }
}

impl Drop for HostLane {
    fn drop(&mut self) {
        if self.abandoned.get().is_none() {
            self.region.give_back(Idle { index: self.index, word: self.word.get(), written: self.notes.written() });
        }
    }
}

/// Ends a call, however it ends.
struct Within<'a> {
    lane: &'a HostLane,
    depth: usize,
    base: usize,
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.lane.depth.set(self.depth);
        self.lane.base.set(self.base);
    }
}

/// Abandons the lane if serving an upcall panics: the worker waits for an answer that never comes.
struct Unanswered<'a> {
    lane: &'a HostLane,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.lane.abandon(Lost::Unanswered);
    }
}
