//! The published form of a chain: one immutable block of memory.
//!
//! A header of 64 bytes, aligned to 64. Then the pairs that dispatch reads, four to a cache line. After those, where
//! dispatch stops, one more pair that has no code, by which whoever looks ahead from a pair finds that end
//! ([`following`]); then the registration data, which only the cold paths read. A block is identified by the address of
//! its first pair, so that dispatch begins there.
//!
//! A chain that a [`Runner`] runs has a single pair, the runner, whose context leads to the real chain.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use super::callback::Callback;
use super::long::{self, RunLong};
use super::nearest::Nearest;
use super::pair::{Pair, Run};
use crate::stats::Tally;

/// What dispatch reads besides the pairs.
#[repr(C, align(64))]
pub(super) struct Header {
    /// The end of the pairs: the one that has no code.
    pub(super) end: *const Pair,
    /// Whether it is short and not counted: then nothing else here is read.
    pub(super) is_plain_short: bool,
    /// Whether it is long and not counted.
    pub(super) is_plain_long: bool,
    pub(super) is_short: bool,
    /// What runs the chain if it is not short.
    pub(super) long: RunLong,
    /// What counts the dispatches, if they are counted.
    pub(super) tally: Option<Arc<Tally>>,
}

impl Header {
    const fn new(end: *const Pair, pairs: usize, long: Option<RunLong>, tally: Option<Arc<Tally>>) -> Self {
        let is_short = pairs <= long::SHORT;
        let long = match long {
            None => long::here,
            Some(long) => long,
        };
        let is_plain = tally.is_none();
        Header {
            end,
            is_plain_short: is_plain && is_short,
            is_plain_long: is_plain && !is_short,
            is_short,
            long,
            tally,
        }
    }
}

/// The number of callbacks that follow.
#[repr(C)]
struct Cold {
    len: usize,
    /// The context of the single pair, if it is a runner. It came from a box and is owned here.
    runner: Option<NonNull<dyn Runner>>,
    callbacks: [Arc<Callback>; 0],
}

/// The context of a pair that runs a whole chain.
pub(super) trait Runner: std::fmt::Debug + Send + Sync {
    /// The chain that it runs, which lives as long as `self`.
    fn real(&self) -> Published;
}

/// The block of a chain without callbacks: its single pair is a no-op, so that dispatch need not check whether there is
/// a first pair.
#[repr(C)]
struct Empty {
    header: Header,
    pair: Pair,
    stop: Pair,
    cold: Cold,
}

/// The end of the pairs of such a block. By a pointer to all of it, since what stands behind the end is found from there.
const fn end_of(block: *const Empty) -> *const Pair {
    block.cast::<u8>().wrapping_add(std::mem::offset_of!(Empty, stop)).cast()
}

// SAFETY: immutable, and counted by nothing; the pair's code is atomic and ignores its context.
unsafe impl Sync for Empty {}

static EMPTY: Empty = Empty {
    header: Header::new(end_of(&raw const EMPTY), 1, None, None),
    pair: Pair::no_op(),
    stop: Pair::stop(),
    cold: Cold { len: 0, runner: None, callbacks: [] },
};

/// As [`EMPTY`], but readers enter, do nothing, and leave. On leaving they run the destructors that they have left of a
/// library that is being unloaded; at a point whose readers do not enter they never would.
static DRAINING: Empty = Empty {
    header: Header::new(end_of(&raw const DRAINING), 1, None, None),
    pair: Pair::no_op(),
    stop: Pair::stop(),
    cold: Cold { len: 0, runner: None, callbacks: [] },
};

/// A published snapshot, as an atomic pointer holds it.
///
/// # Invariants
/// It points to the first of at least one pair, in a block that is laid out as `layout` says and whose parts are
/// initialised; or to that of [`EMPTY`] or [`DRAINING`].
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published(*const Pair);

impl Published {
    /// The snapshot without callbacks.
    #[inline(always)]
    pub(crate) const fn empty() -> Self {
        // INVARIANT: `EMPTY` has one pair, behind its header. By a pointer to all of it, since others are made from this.
        Published((&raw const EMPTY).cast::<Header>().wrapping_add(1).cast())
    }

    /// As the empty one, but readers enter and leave.
    pub(crate) const fn draining() -> Self {
        // INVARIANT: as for the empty one.
        Published((&raw const DRAINING).cast::<Header>().wrapping_add(1).cast())
    }

    #[inline(always)]
    pub(crate) const fn as_raw(self) -> *mut Pair {
        self.0.cast_mut()
    }

    /// # Safety
    /// `first` came from `as_raw`.
    #[inline(always)]
    pub(crate) const unsafe fn from_raw(first: *const Pair) -> Self {
        Published(first)
    }

    /// The first pair; there is at least one.
    #[inline(always)]
    pub(super) fn first(self) -> *const Pair {
        self.0
    }

    /// # Safety
    /// The snapshot is alive, for `'a`.
    #[inline(always)]
    pub(super) unsafe fn header<'a>(self) -> &'a Header {
        // SAFETY: the snapshot is alive, and by the type invariant the header stands before the first pair.
        unsafe { &*self.0.cast::<Header>().sub(1) }
    }

    /// The end of the pairs.
    ///
    /// # Safety
    /// The snapshot is alive.
    pub(super) unsafe fn end(self) -> *const Pair {
        // SAFETY: the snapshot is alive.
        unsafe { self.header() }.end
    }

    /// The pairs, in the order of the chain. A snapshot without callbacks has one pair too.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    pub(crate) unsafe fn pairs<'a>(self) -> &'a [Pair] {
        // SAFETY: the snapshot is alive for `'a`, and by the type invariant the pairs lie between the two.
        unsafe { std::slice::from_raw_parts(self.first(), self.end().offset_from_unsigned(self.first())) }
    }

    /// The registration data of the pairs; empty for a snapshot without callbacks.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    unsafe fn callbacks<'a>(self) -> &'a [Arc<Callback>] {
        // SAFETY: the snapshot is alive for `'a`, and these are the end of its pairs.
        unsafe { callbacks_behind(self.end()) }
    }

    /// The callbacks, in order; for a runner, those of the real chain.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    pub(crate) unsafe fn entries<'a>(self) -> impl Iterator<Item = Entry<'a>> {
        // SAFETY: the snapshot is alive for `'a`, and so is the real chain, which the runner in its block owns.
        let (pairs, callbacks) = unsafe {
            let real = runner_behind(self.end()).map_or(self, Runner::real);
            (real.pairs(), real.callbacks())
        };
        pairs.iter().zip(callbacks).map(|(pair, callback)| Entry { pair, callback })
    }
}

/// A callback in a snapshot.
pub(crate) struct Entry<'a> {
    /// The pair that holds its code, and that frames name while it is called.
    pub(crate) pair: &'a Pair,
    pub(crate) callback: &'a Arc<Callback>,
}

/// The registration data of a pair and its position in the chain, found from the end of the pairs.
///
/// # Safety
/// The pair is a callback's, in a snapshot that is alive for `'a` and whose pairs end at `end`.
pub(super) unsafe fn callback_of<'a>(pair: *const Pair, end: *const Pair) -> (&'a Callback, usize) {
    // SAFETY: the pair is a callback's, in a snapshot that is alive for `'a` and whose pairs end at `end`.
    unsafe {
        let callbacks = callbacks_behind(end);
        let place = callbacks.len() - end.offset_from_unsigned(pair);
        (&callbacks[place], place)
    }
}

/// The pairs that come after this one.
///
/// # Safety
/// The pair is one of a snapshot that is alive for `'a`.
pub(crate) unsafe fn following<'a>(pair: *const Pair) -> impl Iterator<Item = &'a Pair> {
    // SAFETY: the snapshot is alive for `'a`, and by the invariant of `Published` a pair stands behind this one, since
    // this one has code.
    let next = |pair: *const Pair| unsafe { &*pair.add(1) };
    std::iter::successors(Some(next(pair)), move |pair| Some(next(*pair))).take_while(|pair| !pair.is_stop())
}

/// Whether the pair that ends at `end` is a runner.
///
/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive.
pub(super) unsafe fn is_run_by_us(end: *const Pair) -> bool {
    // SAFETY: `end` is the end of the pairs of a snapshot that is alive.
    unsafe { runner_behind(end) }.is_some()
}

/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive for `'a`.
unsafe fn runner_behind<'a>(end: *const Pair) -> Option<&'a dyn Runner> {
    // SAFETY: by the invariant of `Published` the cold part is there; the runner lives as long as the block.
    unsafe { (*cold_behind(end)).runner.map(|runner| runner.as_ref()) }
}

/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive for `'a`.
unsafe fn callbacks_behind<'a>(end: *const Pair) -> &'a [Arc<Callback>] {
    // SAFETY: the snapshot is alive for `'a`; by the invariant of `Published` the cold part is there, and so many
    // callbacks follow its length.
    unsafe {
        let cold = cold_behind(end);
        std::slice::from_raw_parts((&raw const (*cold).callbacks).cast(), (*cold).len)
    }
}

/// Where the cold part of a block is.
///
/// # Safety
/// `end` is the end of the pairs of a snapshot.
unsafe fn cold_behind(end: *const Pair) -> *const Cold {
    // SAFETY: by the invariant of `Published` one more pair stands at `end`, and the cold part behind that.
    unsafe { end.add(1) }.cast()
}

/// A snapshot that is no longer published, or not yet.
///
/// # Invariants
/// It owns the block, unless that is [`EMPTY`] or [`DRAINING`], and the context of a runner in it.
#[derive(Debug)]
pub(crate) struct Snapshot(Published);

// SAFETY: the block is immutable but for the code of the pairs, which is atomic; contexts are only
// handed to callbacks, which the registration promised may run on any thread.
unsafe impl Send for Snapshot {}
// SAFETY: what is shared is immutable but for the code of the pairs, which is atomic; callbacks may run on several
// threads at once.
unsafe impl Sync for Snapshot {}

impl Snapshot {
    /// If it is long, it is run by the `nearest` loop, or else by the program's own.
    pub(super) fn new(callbacks: &[Arc<Callback>], tally: Option<Arc<Tally>>, nearest: Option<&Nearest>) -> Self {
        match tally {
            None if callbacks.is_empty() => Snapshot(Published::empty()),
            // Its single pair is there to be passed, and counted.
            Some(_) if callbacks.is_empty() => Snapshot::block(&[Pair::no_op()], &[], None, tally, None),
            _ => {
                let pairs: Vec<_> = callbacks.iter().map(|callback| callback.pair()).collect();
                let long = nearest.filter(|_| pairs.len() > long::SHORT).map(|nearest| nearest.to(&pairs));
                Snapshot::block(&pairs, callbacks, long, tally, None)
            }
        }
    }

    /// A snapshot whose single pair is that code, with the runner as its context.
    pub(super) fn run_by<R: Runner + 'static>(code: Run, runner: Box<R>) -> Self {
        // Used by address from here on: moving a box would invalidate other pointers to its content.
        let runner = NonNull::from(Box::leak(runner));
        // INVARIANT: the block owns it.
        Snapshot::block(&[Pair::new(code, runner.as_ptr().cast())], &[], None, None, Some(runner))
    }

    /// There is at least one pair.
    fn block(
        pairs: &[Pair],
        callbacks: &[Arc<Callback>],
        long: Option<RunLong>,
        tally: Option<Arc<Tally>>,
        runner: Option<NonNull<dyn Runner>>,
    ) -> Self {
        let layout = layout(pairs.len(), callbacks.len());
        // SAFETY: the layout has the header's size at least.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the block has room for all parts, one after the other.
        // INVARIANT: each part is initialised here.
        unsafe {
            let first = block.add(size_of::<Header>()).cast::<Pair>();
            let end = first.add(pairs.len());
            end.write(Pair::stop());
            let cold = cold_behind(end).cast_mut();
            block.cast::<Header>().write(Header::new(end, pairs.len(), long, tally));
            (&raw mut (*cold).len).write(callbacks.len());
            (&raw mut (*cold).runner).write(runner);
            let callback = (&raw mut (*cold).callbacks).cast::<Arc<Callback>>();
            pairs.iter().enumerate().for_each(|(index, pair)| first.add(index).write(pair.copy()));
            callbacks.iter().enumerate().for_each(|(index, registered)| callback.add(index).write(registered.clone()));
            Snapshot(Published(first))
        }
    }

    /// The form that an atomic pointer holds, valid for as long as `self` lives.
    pub(super) fn published(&self) -> Published {
        self.0
    }

    /// The snapshot without callbacks that readers enter and leave.
    pub(crate) fn draining() -> Self {
        Snapshot(Published::draining())
    }

    /// Gives up ownership, for an atomic pointer.
    pub(crate) fn publish(self) -> Published {
        std::mem::ManuallyDrop::new(self).0
    }

    /// # Safety
    /// `published` came from `publish`, and the caller owns it from now on.
    pub(crate) unsafe fn retire(published: Published) -> Self {
        Snapshot(published)
    }

    /// The callbacks, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        // SAFETY: by the type invariant the block is ours, or a static, so it is alive.
        unsafe { self.0.entries() }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if self.0 == Published::empty() || self.0 == Published::draining() {
            return;
        }
        // SAFETY: by the type invariant the block is ours, was allocated with this layout, and its header, its callbacks
        // and the runner, once a box, are initialised; each is taken once.
        unsafe {
            let block = self.0.as_raw().cast::<Header>().sub(1);
            let end = (*block).end;
            let cold = cold_behind(end).cast_mut();
            let len = (*cold).len;
            let layout = layout(end.offset_from_unsigned(self.0.first()), len);
            let runner = (&raw mut (*cold).runner).read();
            // By no reference: what is shared could not be dropped.
            let callbacks = (&raw mut (*cold).callbacks).cast::<Arc<Callback>>();
            std::ptr::slice_from_raw_parts_mut(callbacks, len).drop_in_place();
            block.drop_in_place();
            dealloc(block.cast(), layout);
            drop(runner.map(|runner| Box::from_raw(runner.as_ptr())));
        }
    }
}

/// The layout of a block. The pairs, with the one that has no code, and the cold part need no padding between them: each
/// begins aligned where the previous one ends.
fn layout(pairs: usize, callbacks: usize) -> Layout {
    const { assert!(align_of::<Cold>() <= align_of::<Pair>() && align_of::<Pair>() <= align_of::<Header>()) };
    let parts =
        [Layout::array::<Pair>(pairs + 1), Ok(Layout::new::<Cold>()), Layout::array::<Arc<Callback>>(callbacks)];
    parts.into_iter().fold(Layout::new::<Header>(), |block, part| {
        block.extend(part.expect("a chain fits the address space")).expect("a chain fits the address space").0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sixteen_bytes_behind_a_cache_line() {
        assert_eq!((size_of::<Pair>(), size_of::<Header>(), align_of::<Header>()), (16, 64, 64));
        assert_eq!(std::mem::offset_of!(Empty, pair), 64);
    }
}
