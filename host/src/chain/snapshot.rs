//! The published form of a chain: one immutable block of memory.
//!
//! A header of 64 bytes, aligned to 64; behind it the pairs that dispatch reads, four to a cache
//! line; behind those the registration data, which only the cold paths read.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use super::Callback;
use super::pair::Pair;

#[repr(C, align(64))]
struct Header {
    len: usize,
}

/// # Invariants
/// Points to a block laid out as `layout(len)` whose header, pairs and callbacks are initialised,
/// and which this value owns.
#[derive(Debug)]
pub(crate) struct Snapshot {
    block: NonNull<u8>,
}

// SAFETY: the block is immutable but for the code of the pairs, which is atomic; contexts are only
// handed to callbacks, which the registration promised may run on any thread.
unsafe impl Send for Snapshot {}
// SAFETY: as above.
unsafe impl Sync for Snapshot {}

impl Snapshot {
    pub(crate) fn new(callbacks: &[Arc<Callback>]) -> Self {
        let (layout, cold) = layout(callbacks.len());
        // SAFETY: the layout has the header's size at least.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the block has room for all three parts at these offsets, aligned.
        // INVARIANT: each part is initialised here.
        unsafe {
            block.cast::<Header>().write(Header { len: callbacks.len() });
            for (index, callback) in callbacks.iter().enumerate() {
                block.add(size_of::<Header>()).cast::<Pair>().add(index).write(callback.pair());
                block.add(cold).cast::<Arc<Callback>>().add(index).write(callback.clone());
            }
        }
        Snapshot { block }
    }

    /// The pairs, in the order of the chain.
    #[inline(always)]
    pub(crate) fn pairs(&self) -> &[Pair] {
        // SAFETY: by the type invariant the header is followed by `len` pairs.
        unsafe {
            let len = self.block.cast::<Header>().as_ref().len;
            std::slice::from_raw_parts(self.block.add(size_of::<Header>()).cast().as_ptr(), len)
        }
    }

    /// The registration data, in the same order.
    pub(crate) fn callbacks(&self) -> &[Arc<Callback>] {
        let len = self.pairs().len();
        // SAFETY: by the type invariant the callbacks stand at the offset that the layout names.
        unsafe { std::slice::from_raw_parts(self.block.add(layout(len).1).cast().as_ptr(), len) }
    }

    /// Gives up ownership, for an atomic pointer.
    pub(crate) fn into_raw(self) -> *mut u8 {
        std::mem::ManuallyDrop::new(self).block.as_ptr()
    }

    /// # Safety
    /// `block` came from `into_raw`, and is owned by the caller from now on.
    pub(crate) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        Snapshot { block }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let len = self.pairs().len();
        let (layout, cold) = layout(len);
        // SAFETY: by the type invariant the callbacks are initialised there, and the block was
        // allocated with this layout.
        unsafe {
            std::ptr::slice_from_raw_parts_mut(self.block.add(cold).cast::<Arc<Callback>>().as_ptr(), len)
                .drop_in_place();
            dealloc(self.block.as_ptr(), layout);
        }
    }
}

/// The layout of a block for `len` callbacks, and the offset of its cold part.
fn layout(len: usize) -> (Layout, usize) {
    let hot = Layout::array::<Pair>(len).expect("a chain fits the address space");
    let cold = Layout::array::<Arc<Callback>>(len).expect("a chain fits the address space");
    let (both, _) = Layout::new::<Header>().extend(hot).expect("a chain fits the address space");
    let (all, offset) = both.extend(cold).expect("a chain fits the address space");
    (all.pad_to_align(), offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sixteen_bytes_behind_a_cache_line() {
        assert_eq!((size_of::<Pair>(), size_of::<Header>(), align_of::<Header>()), (16, 64, 64));
    }
}
