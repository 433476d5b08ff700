//! The published form of a chain: one immutable block of memory.
//!
//! A header of 64 bytes, aligned to 64; after it the pairs that dispatch reads, four to a cache
//! line; after those, where dispatch stops, the registration data, which only the cold paths read.
//! The block is known by the address of its first pair, so that dispatch begins there.
//! In that of a chain that is counted the last pair counts, and the last callback's own code is behind it.
//! That of a chain that a [`Runner`] of ours runs has one pair, the runner, and the real chain after its context.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use super::callback::Callback;
use super::counted::Counted;
use super::pair::{Pair, Run};
use crate::stats::Tally;

#[repr(C, align(64))]
struct Header {
    /// After the last pair, where the cold part begins.
    end: *const Pair,
}

/// How many callbacks follow.
#[repr(C)]
struct Cold {
    len: usize,
    /// The context of the one pair, where it is a runner, which was a box and is ours.
    runner: Option<NonNull<dyn Runner>>,
    /// The context of the last pair, where the chain is counted.
    counted: Option<Counted>,
    callbacks: [Arc<Callback>; 0],
}

/// The context of a pair that runs a whole chain.
pub(super) trait Runner: std::fmt::Debug + Send + Sync {
    /// The chain that it runs; it lives as long as this.
    fn real(&self) -> Published;
}

/// The block of a chain without callbacks: its one pair goes on with what is behind it, so that
/// dispatch need not ask whether there is a first one.
#[repr(C)]
struct Empty {
    header: Header,
    pair: Pair,
    cold: Cold,
}

// SAFETY: immutable; the pair's code is atomic and ignores its context.
unsafe impl Sync for Empty {}

static EMPTY: Empty = Empty {
    header: Header { end: (&raw const EMPTY.cold).cast() },
    pair: Pair::no_op(),
    cold: Cold { len: 0, runner: None, counted: None, callbacks: [] },
};

/// As [`EMPTY`], but readers come in, do nothing, and leave: what they have left of a library that
/// leaves is run on leaving, and a point that has no callbacks any more is left by nobody.
static DRAINING: Empty = Empty {
    header: Header { end: (&raw const DRAINING.cold).cast() },
    pair: Pair::no_op(),
    cold: Cold { len: 0, runner: None, counted: None, callbacks: [] },
};

/// A published snapshot, as an atomic pointer holds it.
///
/// # Invariants
/// The first of at least one pair, in a block laid out as `layout` says whose parts are initialised; or
/// that of [`EMPTY`] or [`DRAINING`].
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published(*const Pair);

impl Published {
    /// The snapshot without callbacks.
    #[inline(always)]
    pub(crate) const fn empty() -> Self {
        // INVARIANT: `EMPTY` has one pair.
        Published(&raw const EMPTY.pair)
    }

    /// As the empty one, but readers enter and leave.
    pub(crate) const fn draining() -> Self {
        // INVARIANT: `DRAINING` has one pair.
        Published(&raw const DRAINING.pair)
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

    /// The first pair, and the end of the pairs; there is one at least.
    ///
    /// # Safety
    /// The snapshot is alive.
    #[inline(always)]
    pub(crate) unsafe fn range(self) -> (*const Pair, *const Pair) {
        // SAFETY: the snapshot is alive, and by the type invariant the header stands before the first pair.
        (self.0, unsafe { (*self.0.cast::<Header>().sub(1)).end })
    }

    /// The pairs, in the order of the chain. One without callbacks has one all the same.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    pub(crate) unsafe fn pairs<'a>(self) -> &'a [Pair] {
        // SAFETY: the snapshot is alive for `'a`, and by the type invariant the pairs lie between the two.
        unsafe {
            let (first, end) = self.range();
            std::slice::from_raw_parts(first, end.offset_from_unsigned(first))
        }
    }

    /// The registration data of the pairs; none for one without callbacks.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    unsafe fn callbacks<'a>(self) -> &'a [Arc<Callback>] {
        // SAFETY: the snapshot is alive for `'a`, and `range` returns the end of its pairs.
        unsafe { callbacks_behind(self.range().1) }
    }

    /// The callbacks, in order; those of the real chain where this is a runner.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    pub(crate) unsafe fn entries<'a>(self) -> impl Iterator<Item = Entry<'a>> {
        // SAFETY: the snapshot is alive for `'a`, and so is the real chain, which the runner in its block owns.
        let (pairs, callbacks, counted) = unsafe {
            let real = runner_behind(self.range().1).map_or(self, Runner::real);
            (real.pairs(), real.callbacks(), counted_behind(real.range().1))
        };
        let entry = move |(index, callback)| {
            let named = &pairs[index];
            let code = counted.filter(|_| index + 1 == pairs.len()).map_or(named, |counted| &counted.last);
            Entry { named, code, callback }
        };
        callbacks.iter().enumerate().map(entry)
    }
}

/// A callback in a snapshot.
pub(crate) struct Entry<'a> {
    /// What frames name while it is being called.
    pub(crate) named: &'a Pair,
    /// What holds its code: the same, or what that leads to.
    pub(crate) code: &'a Pair,
    pub(crate) callback: &'a Arc<Callback>,
}

/// The registration data of a pair and its place in the chain, found from the end of the pairs.
///
/// # Safety
/// The pair is that of a callback, in a snapshot that is alive for `'a` and whose pairs end at `end`.
pub(super) unsafe fn callback_of<'a>(pair: *const Pair, end: *const Pair) -> (&'a Callback, usize) {
    // SAFETY: the pair is a callback's, in a snapshot that is alive for `'a` and whose pairs end at `end`.
    unsafe {
        let callbacks = callbacks_behind(end);
        let place = callbacks.len() - end.offset_from_unsigned(pair);
        (&callbacks[place], place)
    }
}

/// What counts the dispatches of the snapshot whose pairs end there, if they are counted.
///
/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive for `'a`.
pub(super) unsafe fn tally_behind<'a>(end: *const Pair) -> Option<&'a Tally> {
    // SAFETY: `end` is the end of the pairs of a snapshot that is alive for `'a`.
    unsafe { counted_behind(end) }.map(|counted| &*counted.tally)
}

/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive for `'a`.
unsafe fn counted_behind<'a>(end: *const Pair) -> Option<&'a Counted> {
    // SAFETY: the snapshot is alive for `'a`, and by the invariant of `Published` its cold part stands at `end`.
    unsafe { (*end.cast::<Cold>()).counted.as_ref() }
}

/// Whether the pair that ends there is a runner of ours.
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
    // SAFETY: by the invariant of `Published` the cold part stands at `end`; the runner lives as long as the block.
    unsafe { (*end.cast::<Cold>()).runner.map(|runner| runner.as_ref()) }
}

/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive for `'a`.
unsafe fn callbacks_behind<'a>(end: *const Pair) -> &'a [Arc<Callback>] {
    let cold = end.cast::<Cold>();
    // SAFETY: the snapshot is alive for `'a`; by the invariant of `Published` the cold part stands at `end`, and so
    // many callbacks follow its length.
    unsafe { std::slice::from_raw_parts((&raw const (*cold).callbacks).cast(), (*cold).len) }
}

/// A snapshot that is no longer, or not yet, published.
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
    pub(crate) fn new(callbacks: &[Arc<Callback>], tally: Option<Arc<Tally>>) -> Self {
        let counted = tally.map(|tally| Counted::new(tally, callbacks.last().map(|last| &**last)));
        match counted {
            None if callbacks.is_empty() => Snapshot(Published::empty()),
            // Its one pair is there to count.
            Some(_) if callbacks.is_empty() => Snapshot::block([Pair::no_op()].into_iter(), &[], counted, None),
            _ => Snapshot::block(callbacks.iter().map(|callback| callback.pair()), callbacks, counted, None),
        }
    }

    /// One whose one pair is that code, with the runner for its context.
    pub(super) fn run_by<R: Runner + 'static>(code: Run, runner: Box<R>) -> Self {
        // By its address from here on: a box that moves would be the only way to it.
        let runner = NonNull::from(Box::leak(runner));
        // INVARIANT: the block owns it.
        Snapshot::block([Pair::new(code, runner.as_ptr().cast())].into_iter(), &[], None, Some(runner))
    }

    /// There is one pair at least; what is counted takes the place of the last.
    fn block(
        pairs: impl ExactSizeIterator<Item = Pair>,
        callbacks: &[Arc<Callback>],
        counted: Option<Counted>,
        runner: Option<NonNull<dyn Runner>>,
    ) -> Self {
        let layout = layout(pairs.len(), callbacks.len());
        // SAFETY: the layout has the header's size at least.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the block has room for all three parts, one after the other. What counts stays in it for as
        // long as its pair, which is the last one.
        // INVARIANT: each part is initialised here.
        unsafe {
            let first = block.add(size_of::<Header>()).cast::<Pair>();
            let cold = first.add(pairs.len()).cast::<Cold>();
            block.cast::<Header>().write(Header { end: cold.cast() });
            (&raw mut (*cold).len).write(callbacks.len());
            (&raw mut (*cold).runner).write(runner);
            (&raw mut (*cold).counted).write(counted);
            let callback = (&raw mut (*cold).callbacks).cast::<Arc<Callback>>();
            pairs.enumerate().for_each(|(index, pair)| first.add(index).write(pair));
            callbacks.iter().enumerate().for_each(|(index, registered)| callback.add(index).write(registered.clone()));
            if let Some(counted) = counted_behind(cold.cast()) {
                cold.cast::<Pair>().sub(1).write(counted.pair());
            }
            Snapshot(Published(first))
        }
    }

    /// As an atomic pointer would hold it; for as long as this lives.
    pub(super) fn published(&self) -> Published {
        self.0
    }

    /// The one without callbacks that readers enter and leave.
    pub(crate) fn draining() -> Self {
        Snapshot(Published::draining())
    }

    /// Gives up ownership, for an atomic pointer.
    pub(crate) fn publish(self) -> Published {
        std::mem::ManuallyDrop::new(self).0
    }

    /// # Safety
    /// `published` came from `publish`, and is owned by the caller from now on.
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
        // SAFETY: by the type invariant the block is ours, was allocated with this layout, and its callbacks, what counts
        // and the runner, once a box, are initialised; each is taken once.
        unsafe {
            let (first, end) = self.0.range();
            let cold = end.cast::<Cold>().cast_mut();
            let len = (*cold).len;
            let layout = layout(end.offset_from_unsigned(first), len);
            let runner = (&raw mut (*cold).runner).read();
            // By no reference: what is shared could not be dropped.
            let callbacks = (&raw mut (*cold).callbacks).cast::<Arc<Callback>>();
            std::ptr::slice_from_raw_parts_mut(callbacks, len).drop_in_place();
            (&raw mut (*cold).counted).drop_in_place();
            dealloc(self.0.as_raw().cast::<u8>().sub(size_of::<Header>()), layout);
            drop(runner.map(|runner| Box::from_raw(runner.as_ptr())));
        }
    }
}

/// The layout of a block. Pairs and cold part need no padding between: each is aligned where the one
/// before it ends.
fn layout(pairs: usize, callbacks: usize) -> Layout {
    const { assert!(align_of::<Cold>() <= align_of::<Pair>() && align_of::<Pair>() <= align_of::<Header>()) };
    let parts = [Layout::array::<Pair>(pairs), Ok(Layout::new::<Cold>()), Layout::array::<Arc<Callback>>(callbacks)];
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
