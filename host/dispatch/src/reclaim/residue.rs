//! What calls leave on the stack of a thread that ends.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::{from_ref, null_mut};

/// glibc keeps so much below the last frame of a thread that has ended, for the next thread, and gives the rest back to the
/// system. The last frame is above that of whoever clears.
const KEPT: usize = libc::PTHREAD_STACK_MIN;
/// How much is cleared at a time.
const BLOCK: usize = 2 << 10;
/// What the last call needs besides.
const BESIDES: usize = 1 << 10;

/// Clears what calls have left on this thread's stack, as far as the C library keeps it for another thread: there it would
/// look like calls of that thread. For a thread that has run code of plugins and is about to end.
pub fn clear_stack() {
    let frame = 0_u8;
    let here = from_ref(black_box(&frame)).addr();
    let Some(lowest) = lowest().map(|lowest| lowest + BESIDES) else { return };
    if here > lowest + BLOCK + BESIDES {
        clear(lowest.max(here.saturating_sub(KEPT)));
    }
}

/// Clears what is below this frame, down to that address.
#[inline(never)]
fn clear(down_to: usize) {
    let mut block = [0_u8; BLOCK];
    if black_box(&mut block).as_ptr().addr() > down_to + BLOCK + BESIDES {
        clear(down_to);
    }
    // So that it is no loop, which would clear one block again and again.
    black_box(&mut block);
}

/// The lowest address of this thread's stack, if the system says it.
fn lowest() -> Option<usize> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: it is this thread, and there is room for its attributes.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut lowest, mut size) = (null_mut(), 0);
    // SAFETY: the attributes were just made, and are destroyed once; the variables are ours.
    unsafe {
        libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
    Some(lowest.addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_stack_is_not_left() {
        // The least that the system allows, and more.
        for size in [16 << 10, 20 << 10, 32 << 10, 64 << 10, 1 << 20] {
            std::thread::Builder::new().stack_size(size).spawn(clear_stack).unwrap().join().unwrap();
        }
    }

    #[test]
    fn what_calls_have_left_is_gone() {
        const LEFT: u64 = 0x5ca1_ab1e_0ddb_a115;
        #[inline(never)]
        fn leave() -> usize {
            let mut words = [0_u64; 1000];
            words.fill(black_box(LEFT));
            black_box(&mut words).as_ptr().addr()
        }
        #[inline(never)]
        fn found(at: usize) -> usize {
            // SAFETY: it is this thread's stack, below this frame, where there are bytes.
            let word = |index| unsafe {
                std::ptr::with_exposed_provenance::<u64>(at + index * size_of::<u64>()).read_volatile()
            };
            (0..1000).filter(|index| word(*index) == LEFT).count()
        }
        let at = leave();
        clear_stack();
        // But for what the frames of these calls have between them.
        assert!(found(at) < 20, "{} of 1000", found(at));
    }
}
