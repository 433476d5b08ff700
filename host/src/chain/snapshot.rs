//! The published form of a chain: one immutable block of memory.
//!
//! A header of 64 bytes, aligned to 64; behind it the pairs that dispatch reads, four to a cache
//! line; behind those, where dispatch stops, the registration data, which only the cold paths read.
//! The block is known by the address of its first pair, so that dispatch begins there.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::sync::Arc;

use super::Callback;
use super::pair::Pair;

#[repr(C, align(64))]
struct Header {
    /// Behind the last pair, where the cold part begins.
    end: *const Pair,
}

/// How many callbacks follow.
#[repr(C)]
struct Cold {
    len: usize,
    callbacks: [Arc<Callback>; 0],
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
    cold: Cold { len: 0, callbacks: [] },
};

/// As [`EMPTY`], but readers come in, do nothing, and leave: what they have left of a library that
/// leaves is run on leaving, and a point that has no callbacks any more is left by nobody.
static RESTING: Empty = Empty {
    header: Header { end: (&raw const RESTING.cold).cast() },
    pair: Pair::no_op(),
    cold: Cold { len: 0, callbacks: [] },
};

/// A published snapshot, as an atomic pointer holds it.
///
/// # Invariants
/// The first of at least one pair, in a block laid out as `layout(len)` whose parts are initialised;
/// or that of [`EMPTY`] or [`RESTING`].
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
    pub(crate) const fn resting() -> Self {
        // INVARIANT: `RESTING` has one pair.
        Published(&raw const RESTING.pair)
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
        // SAFETY: by the type invariant the header stands before the first pair.
        (self.0, unsafe { (*self.0.cast::<Header>().sub(1)).end })
    }

    /// The pairs, in the order of the chain. One without callbacks has its no-op.
    ///
    /// # Safety
    /// The snapshot is alive, for `'a`.
    pub(crate) unsafe fn pairs<'a>(self) -> &'a [Pair] {
        // SAFETY: by the type invariant the pairs lie between the two.
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
        // SAFETY: the caller's contract.
        unsafe { callbacks_behind(self.range().1) }
    }
}

/// The registration data of a pair, found from the end of the pairs.
///
/// # Safety
/// The pair lies in a snapshot of callbacks that is alive for `'a` and whose pairs end at `end`.
pub(crate) unsafe fn callback_of<'a>(pair: *const Pair, end: *const Pair) -> &'a Callback {
    // SAFETY: the caller's contract.
    unsafe {
        let callbacks = callbacks_behind(end);
        &callbacks[callbacks.len() - end.offset_from_unsigned(pair)]
    }
}

/// # Safety
/// `end` is the end of the pairs of a snapshot that is alive for `'a`.
unsafe fn callbacks_behind<'a>(end: *const Pair) -> &'a [Arc<Callback>] {
    let cold = end.cast::<Cold>();
    // SAFETY: by the invariant of `Published` the cold part stands there, and so many callbacks
    // follow its length.
    unsafe { std::slice::from_raw_parts((&raw const (*cold).callbacks).cast(), (*cold).len) }
}

/// A snapshot that is no longer, or not yet, published.
///
/// # Invariants
/// It owns the block.
#[derive(Debug)]
pub(crate) struct Snapshot(Published);

// SAFETY: the block is immutable but for the code of the pairs, which is atomic; contexts are only
// handed to callbacks, which the registration promised may run on any thread.
unsafe impl Send for Snapshot {}
// SAFETY: as above.
unsafe impl Sync for Snapshot {}

impl Snapshot {
    pub(crate) fn new(callbacks: &[Arc<Callback>]) -> Self {
        if callbacks.is_empty() {
            return Snapshot(Published::empty());
        }
        let layout = layout(callbacks.len());
        // SAFETY: the layout has the header's size at least.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the block has room for all three parts, one behind the other.
        // INVARIANT: each part is initialised here.
        unsafe {
            let first = block.add(size_of::<Header>()).cast::<Pair>();
            let cold = first.add(callbacks.len()).cast::<Cold>();
            block.cast::<Header>().write(Header { end: cold.cast() });
            (&raw mut (*cold).len).write(callbacks.len());
            let callback = (&raw mut (*cold).callbacks).cast::<Arc<Callback>>();
            for (index, registered) in callbacks.iter().enumerate() {
                first.add(index).write(registered.pair());
                callback.add(index).write(registered.clone());
            }
            Snapshot(Published(first))
        }
    }

    /// The one without callbacks that readers enter and leave.
    pub(crate) fn resting() -> Self {
        Snapshot(Published::resting())
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

    /// The pairs and their callbacks, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Pair, &Arc<Callback>)> {
        // SAFETY: by the type invariant it is alive.
        unsafe { self.0.pairs().iter().zip(self.0.callbacks()) }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if self.0 == Published::empty() || self.0 == Published::resting() {
            return;
        }
        // SAFETY: by the type invariant the block is ours, was allocated with this layout, and its
        // callbacks are initialised.
        unsafe {
            let callbacks: *const [Arc<Callback>] = self.0.callbacks();
            let layout = layout(callbacks.len());
            callbacks.cast_mut().drop_in_place();
            dealloc(self.0.as_raw().cast::<u8>().sub(size_of::<Header>()), layout);
        }
    }
}

/// The layout of a block for `len` callbacks. Pairs and cold part need no padding between: each is
/// aligned where the one before it ends.
fn layout(len: usize) -> Layout {
    const { assert!(align_of::<Cold>() <= align_of::<Pair>() && align_of::<Pair>() <= align_of::<Header>()) };
    let parts = [Layout::array::<Pair>(len), Ok(Layout::new::<Cold>()), Layout::array::<Arc<Callback>>(len)];
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
