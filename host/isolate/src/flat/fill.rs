//! Bytes filled from shared memory without a copy in between.

use hookrail_abi::Bytes;

use crate::lane::Area;

/// The three words of a list, as the boundary has fixed them: C writes them too.
#[repr(C)]
struct Words {
    start: *mut u8,
    len: usize,
    capacity: usize,
}

const _: () = assert!(size_of::<Words>() == size_of::<Bytes>() && align_of::<Words>() == align_of::<Bytes>());

/// Replaces the content by that of an area, reusing the allocated memory.
pub(super) fn fill(bytes: &mut Bytes, from: Area<'_>) {
    bytes.clear();
    if from.is_empty() {
        return;
    }
    bytes.reserve(from.len());
    // SAFETY: `Bytes` is a `List<u8>`, and that is these words, in this order (`boundary` of the ABI; the test below).
    let words = unsafe { &mut *std::ptr::from_mut(bytes).cast::<Words>() };
    debug_assert!(words.capacity >= from.len());
    // SAFETY: so much was reserved just now, on the process's heap, where no area is.
    unsafe { from.copy_out(words.start) };
    // All of them are initialised.
    words.len = from.len();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_these_words() {
        let mut bytes = Bytes::from(&[1, 2, 3]);
        bytes.reserve(100);
        // SAFETY: as in `fill`.
        let words = unsafe { &*std::ptr::from_ref(&bytes).cast::<Words>() };
        assert_eq!((words.start.cast_const(), words.len, words.capacity), (bytes.as_ptr(), 3, bytes.capacity()));
    }

    #[test]
    fn memory_is_used_again() {
        let mut from = [5; 64];
        // SAFETY: the bytes are used by this pointer alone.
        let area = unsafe { Area::new(from.as_mut_ptr(), 64) };
        let mut bytes = Bytes::new();
        fill(&mut bytes, area);
        let first = bytes.as_ptr();
        fill(&mut bytes, area.part(0, 5).unwrap());
        assert_eq!((bytes.as_slice(), bytes.as_ptr()), (&[5; 5][..], first));
        fill(&mut bytes, Area::empty());
        assert!(bytes.is_empty() && bytes.capacity() >= 64);
    }
}
