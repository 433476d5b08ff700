//! What a reading thread shows to writers.
//!
//! # Theorem
//! Let a writer unlink an object (make it unreachable for readers that start again), then issue the heavy fence, then
//! find for every slot that its sequence is even, or that it has changed since it was found odd. Then no reader holds
//! the object.
//!
//! *Proof.* A reader stores an odd sequence, passes the light fence, and then loads the pointer that leads to the
//! object. The two fences pair: either the reader's load comes after the writer's fence, and then it finds the object
//! unlinked; or the reader's store comes before it, and then the writer sees the sequence odd until the reader has
//! left. A changed sequence means that the reader left at least once in between, and that whatever it has entered since
//! began after the unlinking.
//!
//! It is a sequence, not a flag: a thread that dispatches without pause would show a raised flag at every look, and
//! starve the writer.
//!
//! *Interrupts.* A signal handler that dispatches on this thread finds the sequence either even, and leaves it even, or
//! odd, and leaves it unchanged. If it strikes between the load and the store of `enter`, the sequence may repeat an
//! odd value once, and a writer then waits for one dispatch more than necessary; it never waits for one too few.

use crate::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, light_fence};

/// How many nested dispatches name their entry.
pub(super) const FRAMES: usize = 8;

/// A frame that stands for every entry: a pin, or a dispatch nested deeper than `FRAMES`.
pub const EVERYTHING: *mut () = std::ptr::without_provenance_mut(1);

/// One thread's record, written by that thread and read by writers.
///
/// # Invariants
/// - `sequence` is odd exactly while its thread is inside a dispatch or a pin, and never decreases
///   to a value a waiting writer could mistake for "still inside the same one";
/// - while it is odd, `frames[..=depth]` name the entries being called, outermost first.
#[derive(Debug)]
#[repr(align(128))]
pub struct Slot {
    sequence: AtomicU64,
    /// What this thread runs on leaving, a `fn()`; null for nothing.
    todo: AtomicPtr<()>,
    claimed: AtomicBool,
    /// How many dispatches are nested in the outermost one. Used only by its own thread.
    depth: AtomicU32,
    frames: [AtomicPtr<()>; FRAMES],
    /// How many dispatches have been nested at each depth, so that an observer can tell one from the next.
    rounds: [AtomicU32; FRAMES],
    /// The thread id.
    thread: AtomicU32,
    /// Its number among all slots, starting at 0.
    pub number: usize,
}

impl Slot {
    pub(crate) fn new() -> Self {
        Slot {
            sequence: AtomicU64::new(0),
            todo: AtomicPtr::new(std::ptr::null_mut()),
            claimed: AtomicBool::new(false),
            depth: AtomicU32::new(0),
            frames: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())),
            rounds: std::array::from_fn(|_| AtomicU32::new(0)),
            thread: AtomicU32::new(0),
            number: 0,
        }
    }

    /// Enters, if this thread is outside; `None` if it is already inside.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<Outermost<'_>> {
        // Relaxed: only this thread writes it.
        let was = self.sequence.load(Ordering::Relaxed);
        if was & 1 != 0 {
            return None;
        }
        // Release: pairs with the Acquire in `inside`. A writer may miss the even value between two dispatches and find
        // only this one; what the earlier dispatch did happened before it too. The light fence orders it before the
        // loads that follow; it pairs with the heavy fence of the writer.
        self.sequence.store(was + 1, Ordering::Release);
        light_fence();
        Some(Outermost { slot: self, was })
    }

    /// Enters, if this thread is already inside.
    pub(crate) fn enter_nested(&self) -> Nested<'_> {
        debug_assert!(self.is_inside());
        // Relaxed, here and in `leave`: only this thread uses the depth.
        let was = self.depth.load(Ordering::Relaxed);
        self.depth.store(was + 1, Ordering::Relaxed);
        let at = (was as usize + 1).min(FRAMES - 1);
        let frame = &self.frames[at];
        // Relaxed: only this thread writes it; an observer that misses it sees the previous entry.
        self.rounds[at].store(self.rounds[at].load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        Nested { slot: self, was, frame, outer: frame.load(Ordering::Relaxed) }
    }

    /// Whether this thread is inside a dispatch or a pin. Called by the thread itself.
    pub(crate) fn is_inside(&self) -> bool {
        self.sequence.load(Ordering::Relaxed) & 1 != 0
    }

    /// The sequence and the innermost entry of this thread. Called by the thread itself.
    pub(crate) fn innermost(&self) -> (u64, *mut ()) {
        let depth = (self.depth.load(Ordering::Relaxed) as usize).min(FRAMES - 1);
        (self.sequence.load(Ordering::Relaxed), self.frames[depth].load(Ordering::Relaxed))
    }

    /// Where the innermost dispatch of this thread names its entry; `None` beyond the last frame. Called by the thread
    /// itself.
    pub(crate) fn frame(&self) -> Option<&AtomicPtr<()>> {
        self.frames.get(self.depth.load(Ordering::Relaxed) as usize)
    }

    /// How many dispatches this thread is in, nested. Called by the thread itself.
    pub(crate) fn nesting(&self) -> usize {
        self.depth.load(Ordering::Relaxed) as usize + usize::from(self.is_inside())
    }

    /// The entries that the thread is in, outermost first, and what distinguishes this stay in each from the next;
    /// empty if it is outside. Called by any thread, for observation only.
    pub fn stays(&self) -> Vec<Stay> {
        let Some(sequence) = self.inside() else { return Vec::new() };
        let stays = self.frames.iter().zip(&self.rounds).map(|(frame, round)| Stay {
            sequence,
            round: round.load(Ordering::Relaxed),
            entry: frame.load(Ordering::Relaxed),
        });
        stays.take_while(|stay| !stay.entry.is_null()).collect()
    }

    /// The id of the thread whose slot it is.
    pub fn thread(&self) -> u32 {
        self.thread.load(Ordering::Relaxed)
    }

    /// Assigns the slot to the thread with this id.
    pub(crate) fn set_thread(&self, thread: u32) {
        self.thread.store(thread, Ordering::Relaxed);
    }

    /// Asks this thread to run `task` on leaving. Called by any thread.
    pub(crate) fn ask(&self, task: fn()) {
        if self.claimed.load(Ordering::Relaxed) {
            // Release: pairs with the Acquire in `take_todo`.
            self.todo.store(task as *mut (), Ordering::Release);
        }
    }

    /// Takes what this thread was asked to run. Called by the thread itself.
    pub(crate) fn take_todo(&self) -> Option<fn()> {
        // Acquire: pairs with the Release in `ask`.
        let task = self.todo.swap(std::ptr::null_mut(), Ordering::Acquire);
        // SAFETY: `ask` stored a function of this type.
        (!task.is_null()).then(|| unsafe { std::mem::transmute::<*mut (), fn()>(task) })
    }

    /// The sequence, if the thread is inside. Called by a writer, after its heavy fence.
    pub(crate) fn inside(&self) -> Option<u64> {
        // Acquire: pairs with the Release in `leave` and in `enter`; an even or a changed value means that everything
        // the reader did before happened before.
        let sequence = self.sequence.load(Ordering::Acquire);
        (sequence & 1 != 0).then_some(sequence)
    }

    /// Whether the thread is, or may be, in one of the entries that `retired` recognises. Called by a writer that has
    /// overwritten their code and passed its heavy fence.
    pub(crate) fn is_in(&self, retired: impl Fn(*mut ()) -> bool) -> bool {
        // Acquire, on the frames: pairs with the Release of the store that names the next entry, so that what the
        // callback did happened before.
        self.inside().is_some()
            && self.frames.iter().map(|frame| frame.load(Ordering::Acquire)).any(|at| at == EVERYTHING || retired(at))
    }

    /// Claims the slot for this thread; `false` if another thread has it.
    pub(crate) fn claim(&self) -> bool {
        // Acquire: pairs with the Release in `release`. Relaxed first: most slots are taken.
        !self.claimed.load(Ordering::Relaxed)
            && self.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Marks the slot's thread as outside and gives the slot back: when the thread ends, or in the child of a fork,
    /// where the thread does not exist.
    pub(crate) fn release(&self) {
        self.frames.iter().for_each(|frame| frame.store(std::ptr::null_mut(), Ordering::Relaxed));
        self.depth.store(0, Ordering::Relaxed);
        self.todo.store(std::ptr::null_mut(), Ordering::Relaxed);
        let sequence = self.sequence.load(Ordering::Relaxed);
        // Release: as in `leave`.
        self.sequence.store((sequence | 1) + 1, Ordering::Release);
        // Release: pairs with the Acquire in `claim`.
        self.claimed.store(false, Ordering::Release);
    }
}

/// One stay of a thread in an entry: equal to that of a later observation for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    sequence: u64,
    round: u32,
    /// What the frame named; [`EVERYTHING`] for a pin.
    pub entry: *mut (),
}

/// The thread entered from outside.
#[must_use]
pub(crate) struct Outermost<'a> {
    slot: &'a Slot,
    was: u64,
}

impl<'a> Outermost<'a> {
    /// Where this dispatch names its entry. Stale until it first does, which can only make a writer wait longer.
    #[inline(always)]
    pub(crate) fn frame(&self) -> &'a AtomicPtr<()> {
        &self.slot.frames[0]
    }

    /// The number of the thread's slot.
    #[inline(always)]
    pub(crate) fn number(&self) -> usize {
        self.slot.number
    }

    /// Leaves; returns whether there is something to run.
    #[inline(always)]
    pub(crate) fn leave(self) -> bool {
        // Release: pairs with the Acquire in `inside`.
        self.slot.sequence.store(self.was + 2, Ordering::Release);
        !self.slot.todo.load(Ordering::Relaxed).is_null()
    }
}

/// The thread entered while inside; the outermost dispatch keeps the sequence odd.
#[must_use]
pub(crate) struct Nested<'a> {
    slot: &'a Slot,
    was: u32,
    frame: &'a AtomicPtr<()>,
    outer: *mut (),
}

impl<'a> Nested<'a> {
    /// Where this dispatch names its entry; `None` beyond the last frame, which then stands for everything.
    pub(crate) fn frame(&self) -> Option<&'a AtomicPtr<()>> {
        if self.was as usize + 1 < FRAMES {
            return Some(self.frame);
        }
        self.frame.store(EVERYTHING, Ordering::Relaxed);
        None
    }

    pub(crate) fn leave(self) {
        // Release: pairs with the Acquire in `is_in`.
        self.frame.store(self.outer, Ordering::Release);
        self.slot.depth.store(self.was, Ordering::Relaxed);
    }
}
