//! Bytes that another process may write at any time.
//!
//! # Theorem
//! A value that was copied out of an area stays what it was, whatever the other process writes: nothing that is checked
//! is fetched again.
//!
//! *Proof.* Bytes leave an area by [`Area::copy_out`] alone, which copies each of them once to private memory and then
//! issues a compiler fence: behind it the compiler may neither read the area again in place of the copy, nor merge the
//! copy with a later one, since for all it knows the area has changed.
//!
//! No reference to an area exists, only pointers, and all of them are bounded by its length. Whoever copies while the
//! other process writes may get any mixture of bytes; it is for the reader to judge them.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::atomic::{Ordering, compiler_fence};

/// A piece of shared memory.
///
/// # Invariants
/// `len` bytes at `start` are mapped, readable and writable, for as long as `'a`, and no reference to them exists.
#[derive(Clone, Copy, Debug)]
pub struct Area<'a> {
    start: *mut u8,
    len: usize,
    mapped: PhantomData<&'a ()>,
}

/// The size of a cache line.
pub(crate) const CACHE_LINE: usize = 64;

/// A type of which any bytes are a value, without padding.
///
/// # Safety
/// It is that.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: integers have neither forbidden values nor padding.
unsafe impl Plain for [u32; 2] {}
// SAFETY: as above.
unsafe impl Plain for u64 {}

impl<'a> Area<'a> {
    /// # Safety
    /// `len` bytes at `start` are readable and writable for as long as `'a`, and no reference to them exists. Other
    /// processes, and mappings elsewhere, may change them.
    pub unsafe fn new(start: *mut u8, len: usize) -> Self {
        // INVARIANT: the caller promises it.
        Area { start, len, mapped: PhantomData }
    }

    /// No bytes.
    pub fn empty() -> Self {
        // INVARIANT: nothing has to be there.
        Area { start: std::ptr::dangling_mut(), len: 0, mapped: PhantomData }
    }

    /// How many bytes it has.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Where it begins, for a function that writes [`len`](Area::len) bytes at most. Nothing may be read there that is
    /// to be trusted.
    pub fn as_mut_ptr(self) -> *mut u8 {
        self.start
    }

    /// The `len` bytes at `at`, if it has them.
    pub fn part(self, at: usize, len: usize) -> Option<Area<'a>> {
        if at > self.len || len > self.len - at {
            return None;
        }
        // SAFETY: `at` is within the bytes, or just behind them.
        // INVARIANT: these bytes are part of those of `self`.
        Some(Area { start: unsafe { self.start.add(at) }, len, mapped: PhantomData })
    }

    /// All bytes from `at` on, if there are so many.
    pub fn from(self, at: usize) -> Option<Area<'a>> {
        self.part(at, self.len.checked_sub(at)?)
    }

    /// Copies all its bytes to private memory.
    ///
    /// # Safety
    /// `to` has room for [`len`](Area::len) bytes, which nobody else uses and which are not in an area.
    #[inline(always)]
    pub unsafe fn copy_out(self, to: *mut u8) {
        // SAFETY: by the type invariant the bytes are readable; the caller has the room, apart from them.
        unsafe { self.start.copy_to_nonoverlapping(to, self.len) };
        // SeqCst: none of the compiler's accesses cross it, so that the area is not read again for the copy. The
        // processor is free to do as it likes: it copies the bytes once.
        compiler_fence(Ordering::SeqCst);
    }

    /// Copies all its bytes to the end of a vector.
    pub fn append_to(self, to: &mut Vec<u8>) {
        to.reserve(self.len);
        // SAFETY: there is room for as many bytes behind those that the vector has, and afterwards they are initialised.
        unsafe {
            self.copy_out(to.as_mut_ptr().add(to.len()));
            to.set_len(to.len() + self.len);
        }
    }

    /// Makes this processor the owner of its cache lines, by writing to each what it holds. For a side that has the turn:
    /// nobody else writes then.
    ///
    /// Lines that one side only writes and the other one only reads stay shared by both, and then each write has to wait
    /// until the other processor has given its line up, one line after the other.
    pub(crate) fn take_over(self) {
        for at in (0..self.len).step_by(CACHE_LINE) {
            // SAFETY: by the type invariant the byte is there.
            unsafe {
                let byte = self.start.add(at);
                byte.write_volatile(byte.read_volatile());
            }
        }
    }

    /// Copies a value out, if its bytes are there.
    #[inline(always)]
    pub(crate) fn get<T: Plain>(self, at: usize) -> Option<T> {
        let part = self.part(at, size_of::<T>())?;
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: there is room for a `T`, of which any bytes are a value.
        unsafe {
            part.copy_out(value.as_mut_ptr().cast());
            Some(value.assume_init())
        }
    }

    /// Writes a value, if there is room.
    #[inline(always)]
    pub(crate) fn put<T: Plain>(self, at: usize, value: &T) -> Option<()> {
        // SAFETY: a plain value is its bytes.
        self.write(at, unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) })
    }

    /// Writes bytes, if there is room.
    #[inline(always)]
    pub fn write(self, at: usize, bytes: &[u8]) -> Option<()> {
        let part = self.part(at, bytes.len())?;
        // SAFETY: by the type invariant as many bytes are writable there, and no reference leads to them, so that
        // `bytes` is elsewhere.
        unsafe { part.start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Some(())
    }

    /// Whether it holds just these bytes. For a side that trusts the other one.
    pub fn equals(self, bytes: &[u8]) -> bool {
        // SAFETY: by the type invariant as many bytes are readable as are compared.
        self.len == bytes.len() && unsafe { libc::memcmp(self.start.cast(), bytes.as_ptr().cast(), self.len) } == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_reached() {
        let mut bytes = [7; 16];
        // SAFETY: the bytes are used by this pointer alone.
        let area = unsafe { Area::new(bytes.as_mut_ptr(), 8) };
        assert!(area.part(8, 0).is_some() && area.part(8, 1).is_none() && area.part(9, 0).is_none());
        assert!(area.part(usize::MAX, 2).is_none() && area.part(2, usize::MAX).is_none());
        assert!(area.from(9).is_none() && area.get::<u64>(1).is_none() && area.put(1, &0_u64).is_none());
        assert_eq!(area.get::<[u32; 2]>(0), Some([0x0707_0707; 2]));
        assert!(area.write(1, &[0; 8]).is_none() && area.write(0, &[1; 8]).is_some());
        assert!(area.equals(&[1; 8]) && !area.equals(&[1; 7]));
        assert_eq!(bytes[8..], [7; 8]);
    }
}
