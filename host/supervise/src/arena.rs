//! Memory that a guardian keeps when it unmaps the rest.

use std::cell::Cell;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::{io, slice};

/// Memory of its own mappings, filled from the beginning.
///
/// # Invariants
/// `start` begins `length` bytes that nobody else has; those before `used` have been given out, each once.
pub(crate) struct Arena {
    start: NonNull<u8>,
    length: usize,
    used: Cell<usize>,
}

impl Arena {
    /// Room for that many bytes, with what [`Self::put`] needs beside them for `pieces` pieces.
    pub(crate) fn new(bytes: usize, pieces: usize) -> io::Result<Self> {
        let length = (bytes + pieces * ALIGNMENT).max(1);
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: the system chooses where it is.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // INVARIANT: the mapping is new.
        Ok(Arena { start, length, used: Cell::new(0) })
    }

    /// Copies values into it.
    ///
    /// # Panics
    /// If it has no room for them.
    #[expect(clippy::mut_from_ref, reason = "each piece is given out once")]
    pub(crate) fn put<T: Copy>(&self, values: &[T]) -> &mut [T] {
        assert!(align_of::<T>() <= ALIGNMENT);
        let start = self.used.get().next_multiple_of(ALIGNMENT);
        let end = start + size_of_val(values);
        assert!(end <= self.length, "an arena is as large as it was asked to be");
        self.used.set(end);
        // SAFETY: by the type invariants, these bytes are there, and nobody else has them.
        unsafe {
            let piece = self.start.add(start).cast::<T>();
            ptr::copy_nonoverlapping(values.as_ptr(), piece.as_ptr(), values.len());
            slice::from_raw_parts_mut(piece.as_ptr(), values.len())
        }
    }

    /// Where it is.
    pub(crate) fn range(&self) -> Range<usize> {
        let start = self.start.as_ptr() as usize;
        start..start + self.length
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: by the type invariants; what was given out borrows from it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

const ALIGNMENT: usize = 16;
