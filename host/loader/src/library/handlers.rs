//! Signal handlers: code that the kernel would continue to call.

use std::mem::MaybeUninit;
use std::ops::Range;

/// The signals whose handlers are in one of the segments.
pub(super) fn within(segments: &[Range<usize>]) -> Vec<i32> {
    const LAST: i32 = 64;
    (1..=LAST).filter(|signal| handler(*signal).is_some_and(|at| segments.iter().any(|it| it.contains(&at)))).collect()
}

/// The address of a signal's handler; `None` for a signal that the C library reserves.
fn handler(signal: i32) -> Option<usize> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: it only reads, into room for an action.
    let read = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: it was written, or is zero.
    (read == 0).then(|| unsafe { action.assume_init() }.sa_sigaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_found_by_where_it_lies() {
        extern "C" fn handle(_signal: i32) {}
        // SAFETY: the handler does nothing.
        unsafe { libc::signal(libc::SIGURG, handle as *const () as libc::sighandler_t) };
        let at = handle as *const () as usize;
        assert_eq!(within(&[at - 1..at, at..at + 1]), [libc::SIGURG]);
        assert_eq!(within(&[at - 1..at, at + 1..at + 2]), [0; 0]);
    }
}
