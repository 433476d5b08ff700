//! The loop over long chains.
//!
//! There are eight call sites. A processor predicts each by itself, and so learns the targets of 64 different callbacks
//! as it learns those of eight: a loop with a single site takes more than twice the time.

use std::ffi::c_void;
#[cfg(any(miri, not(target_arch = "x86_64")))]
use std::ptr::null;

use super::pair::Pair;
use crate::sync::AtomicPtr;

/// The number of callbacks up to which calling the loop costs more than it gains.
pub(super) const SHORT: usize = 3;

/// Calls the callbacks from `pair` on, naming each in `frame`, until one does not continue or `end` is reached.
pub(super) type RunLong =
    unsafe extern "C" fn(pair: *const Pair, end: *const Pair, frame: &AtomicPtr<()>, payload: *mut c_void) -> Stopped;

/// How many bytes of code the loop has, filled up with instructions that trap.
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(super) const LENGTH: usize = 512;

/// Where the loop stopped.
#[repr(C)]
pub(super) struct Stopped {
    /// The pair that did not continue; null if all did.
    pub(super) pair: *const Pair,
    /// What it answered, in the lower half; anything if all continued.
    answer: u64,
}

impl Stopped {
    pub(super) fn answer(&self) -> u32 {
        self.answer as u32
    }
}

/// The loop, in this program's own code.
///
/// # Safety
/// As for `Chain::run`: this thread is inside, and `frame` is where it names the entry it is in; `pair` is one of a
/// snapshot whose pairs end at `end`, and `payload` is what they expect.
#[cfg(any(miri, not(target_arch = "x86_64")))]
pub(super) unsafe extern "C" fn here(
    mut pair: *const Pair,
    end: *const Pair,
    frame: &AtomicPtr<()>,
    payload: *mut c_void,
) -> Stopped {
    macro_rules! sites {
        ($($site:literal)*) => {
            loop {
                $(
                    let _ = $site;
                    // SAFETY: it is a pair of the snapshot, which being inside keeps, as it does code and context; the
                    // payload is what they expect.
                    let answer = unsafe { (*pair).call(frame, payload) };
                    if answer != 0 {
                        return Stopped { pair, answer: answer.into() };
                    }
                    // SAFETY: it lies before the end.
                    pair = unsafe { pair.add(1) };
                    if pair == end {
                        return Stopped { pair: null(), answer: 0 };
                    }
                )*
            }
        };
    }
    sites!(0 1 2 3 4 5 6 7)
}

/// The loop, in this program's own code: instructions that refer to nothing but registers, so that they may be copied.
///
/// Per site: name the pair in the frame, then load its code and call it, which is the order that the theorem of
/// `pair.rs` needs; the processor's half of the fence between the two is the writer's.
///
/// # Safety
/// As for `Chain::run`: this thread is inside, and `frame` is where it names the entry it is in; `pair` is one of a
/// snapshot whose pairs end at `end`, and `payload` is what they expect.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn here(
    pair: *const Pair,
    end: *const Pair,
    frame: &AtomicPtr<()>,
    payload: *mut c_void,
) -> Stopped {
    std::arch::naked_asm!(
        "2:",
        // With a frame pointer, so that debuggers and profilers find their way past code that they do not know.
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        // The end; with it the stack is aligned.
        "push rsi",
        "mov rbx, rdi",
        "mov r12, rdx",
        "mov r13, rcx",
        "3:",
        ".rept 8",
        "mov qword ptr [r12], rbx",
        "mov rdi, qword ptr [rbx + {ctx}]",
        "mov rsi, r13",
        "call qword ptr [rbx + {run}]",
        "test eax, eax",
        "jne 4f",
        "add rbx, {size}",
        "cmp rbx, qword ptr [rsp]",
        "je 5f",
        ".endr",
        "jmp 3b",
        "4:",
        "mov edx, eax",
        "mov rax, rbx",
        "jmp 6f",
        "5:",
        "xor eax, eax",
        "6:",
        "pop rcx",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        // As long as what is copied.
        ".org 2b + {length}, 0xcc",
        ctx = const Pair::CTX,
        run = const Pair::RUN,
        size = const size_of::<Pair>(),
        length = const LENGTH,
    )
}

#[cfg(test)]
mod tests {
    use std::ptr::from_mut;

    use super::*;

    /// Counts in the payload, and answers with its context when it is called for the time that the context says.
    unsafe extern "C" fn count(ctx: *mut c_void, payload: *mut c_void) -> u32 {
        // SAFETY: the test passes a number.
        let calls = unsafe { &mut *payload.cast::<usize>() };
        *calls += 1;
        if *calls == ctx as usize { *calls as u32 } else { 0 }
    }

    #[test]
    fn a_loop_calls_each_once_and_stops_where_one_does_not_continue() {
        for len in 1..=20 {
            for stop in 0..=len {
                let pairs: Vec<_> =
                    (0..len).map(|_| Pair::new(count, std::ptr::without_provenance_mut(stop))).collect();
                let (ends, frame, mut calls) = (pairs.as_ptr_range(), AtomicPtr::default(), 0_usize);
                // SAFETY: the pairs are there, and there is at least one; their payload is a number.
                let stopped = unsafe { here(ends.start, ends.end, &frame, from_mut(&mut calls).cast()) };
                let last = if stop == 0 { len } else { stop };
                assert_eq!(calls, last);
                assert_eq!(frame.into_inner(), pairs[last - 1].identity(), "the one that was called last");
                if stop == 0 {
                    assert!(stopped.pair.is_null());
                } else {
                    assert_eq!((stopped.pair, stopped.answer()), (&raw const pairs[stop - 1], stop as u32));
                }
            }
        }
    }
}
