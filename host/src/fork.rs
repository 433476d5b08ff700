//! The child of a fork has one thread; what the others had in hand stays as it was when they were
//! copied.

use once_cell::sync::OnceCell;

use crate::{reclaim, residue};

/// Has the children of all forks from now on put right what other threads left in disorder.
pub(crate) fn prepare() {
    extern "C" fn in_child() {
        reclaim::in_child();
        residue::in_child();
    }
    static HANDLER: OnceCell<()> = OnceCell::new();
    HANDLER.get_or_init(|| {
        // SAFETY: the handler stores to atomics and takes locks that nobody holds. Registering fails
        // only for lack of memory, and then a child may wait for ever, which is no reason to refuse
        // reading or loading here.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}
