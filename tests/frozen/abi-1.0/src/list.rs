//! A growable array whose memory either side of the boundary may grow or free.

use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

use abi_stable::StableAbi;

/// A growable array on the process's own `malloc`, shared by every library and by C.
///
/// A `Vec` must not cross the boundary: its layout is unspecified, and each library may have its own allocator. A
/// `List` is three words, and its memory belongs to the process.
///
/// # Invariants
/// - `capacity == 0` and `ptr` is arbitrary, so that all zeros is an empty list; or `ptr` came from the process's
///   `malloc` with room for `capacity` elements;
/// - the first `len <= capacity` elements are initialised.
#[repr(C)]
#[derive(StableAbi)]
pub struct List<T> {
    /// The elements. While `capacity` is 0 it may hold anything, null included: it is not an address, and must not be
    /// freed.
    ptr: *mut T,
    /// The number of elements.
    len: usize,
    /// The number of elements that fit; 0 while nothing is allocated.
    capacity: usize,
}

// SAFETY: by the type invariants a list owns its elements and nothing else.
unsafe impl<T: Send> Send for List<T> {}
// SAFETY: a shared list only gives out shared elements.
unsafe impl<T: Sync> Sync for List<T> {}

impl<T> List<T> {
    /// `malloc` aligns to 16 bytes, and C must be able to free what we allocate.
    const FITS_MALLOC: () = assert!(
        align_of::<T>() <= 16 && size_of::<T>() > 0,
        "a List element has a size and an alignment of at most 16 bytes"
    );

    /// An empty list; allocates nothing.
    pub const fn new() -> Self {
        let () = Self::FITS_MALLOC;
        List { ptr: std::ptr::null_mut(), len: 0, capacity: 0 }
    }

    /// The elements.
    pub const fn as_slice(&self) -> &[T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: by the type invariants the first `len` elements are initialised.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// The elements, for editing in place.
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: by the type invariants the first `len` elements are initialised, and `&mut self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.ptr, self.len) }
    }

    /// How many elements fit before the memory must grow.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Reserves room for at least `additional` more elements.
    pub fn reserve(&mut self, additional: usize) {
        if additional > self.capacity - self.len {
            self.grow(additional);
        }
    }

    /// Appends one element.
    pub fn push(&mut self, value: T) {
        self.reserve(1);
        // SAFETY: `reserve` left room for one more element at `len`.
        unsafe { self.ptr.add(self.len).write(value) };
        self.len += 1;
    }

    /// Inserts `value` before the element at `index`, or appends it if `index` equals `len`.
    ///
    /// # Panics
    /// If `index` is greater than `len`.
    pub fn insert(&mut self, index: usize, value: T) {
        self.push(value);
        self.as_mut_slice()[index..].rotate_right(1);
    }

    /// Removes the element at `index`, keeping the order of the others.
    ///
    /// # Panics
    /// If `index` is out of bounds.
    pub fn remove(&mut self, index: usize) -> T {
        self.as_mut_slice()[index..].rotate_left(1);
        self.len -= 1;
        // SAFETY: the element was initialised and now lies outside `len`, so it is read once.
        unsafe { self.ptr.add(self.len).read() }
    }

    /// Drops the elements from `len` on; does nothing if there are fewer.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            let tail: *mut [T] = &mut self.as_mut_slice()[len..];
            self.len = len;
            // SAFETY: the tail was initialised and is no longer part of the list.
            unsafe { tail.drop_in_place() };
        }
    }

    /// Drops all elements and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps the elements for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut kept = 0;
        for index in 0..self.len {
            if keep(&self.as_slice()[index]) {
                self.as_mut_slice().swap(kept, index);
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, additional: usize) {
        let () = Self::FITS_MALLOC;
        let wanted = self.len.checked_add(additional).expect("capacity overflow");
        let capacity = wanted.max(self.capacity.saturating_mul(2)).max(4);
        let layout = Layout::array::<T>(capacity).expect("capacity overflow");
        let ptr = if self.capacity == 0 {
            // SAFETY: the layout has a size: elements do (FITS_MALLOC) and capacity is at least 4.
            unsafe { System.alloc(layout) }
        } else {
            // SAFETY: by the type invariants `ptr` came from malloc for `capacity` elements; the new size is not 0.
            unsafe { System.realloc(self.ptr.cast(), self.memory(), layout.size()) }
        };
        if ptr.is_null() {
            handle_alloc_error(layout);
        }
        // INVARIANT: fresh memory for `capacity` elements; the first `len` elements were moved into it.
        self.ptr = ptr.cast();
        self.capacity = capacity;
    }

    fn memory(&self) -> Layout {
        Layout::array::<T>(self.capacity).expect("it was allocated with this layout")
    }
}

impl<T: Copy> List<T> {
    /// Appends a copy of `values`.
    pub fn extend_from_slice(&mut self, values: &[T]) {
        if values.is_empty() {
            // The pointer of a list without memory is no address, aligned or not.
            return;
        }
        self.reserve(values.len());
        // SAFETY: there is room for `values` after `len`, and the two cannot overlap, since
        // `self` is borrowed exclusively.
        unsafe {
            self.ptr.add(self.len).copy_from_nonoverlapping(values.as_ptr(), values.len());
        }
        self.len += values.len();
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        self.clear();
        if self.capacity > 0 {
            // SAFETY: by the type invariants `ptr` came from malloc with this layout.
            unsafe { System.dealloc(self.ptr.cast(), self.memory()) };
        }
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

impl<T: Clone> Clone for List<T> {
    fn clone(&self) -> Self {
        self.iter().cloned().collect()
    }

    /// Reuses the memory of `self`, and that of its elements.
    fn clone_from(&mut self, source: &Self) {
        self.truncate(source.len);
        let common = self.len;
        self.as_mut_slice().clone_from_slice(&source[..common]);
        self.extend(source[common..].iter().cloned());
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List::new()
    }
}

impl<T> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        let values = values.into_iter();
        self.reserve(values.size_hint().0);
        values.for_each(|value| self.push(value));
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut list = List::new();
        list.extend(values);
        list
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq> Eq for List<T> {}

impl<T: PartialOrd> PartialOrd for List<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.as_slice().partial_cmp(other.as_slice())
    }
}

impl<T: Ord> Ord for List<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl<T: Hash> Hash for List<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: serde::Serialize> serde::Serialize for List<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|values| values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_three_words_in_this_order() {
        assert_eq!(std::mem::offset_of!(List<u8>, ptr), 0);
        assert_eq!(std::mem::offset_of!(List<u8>, len), 8);
        assert_eq!(std::mem::offset_of!(List<u8>, capacity), 16);
        assert_eq!(size_of::<List<u8>>(), 24);
    }

    #[test]
    fn editing_matches_a_vec() {
        let mut list: List<String> = ["a", "b", "c"].map(String::from).into_iter().collect();
        list.insert(1, "x".into());
        assert_eq!(list.remove(2), "b");
        list.retain(|value| value != "a");
        assert_eq!(*list, ["x", "c"]);
        let copy = list.clone();
        list.truncate(1);
        assert_eq!(*list, ["x"]);
        list.clone_from(&copy);
        assert_eq!(list, copy);
        list.clear();
        assert!(list.is_empty() && list.capacity() > 0);
    }
}
