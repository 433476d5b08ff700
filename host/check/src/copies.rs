//! Copies of this process that a plugin makes by mistake: after a `fork` whose child goes on, for example since its
//! `exec` failed, the child returns into the check as well. With each call there would be twice as many, so a copy ends
//! where it returns; the check `child-processes` finds that it was there.

use std::process;
use std::sync::OnceLock;

static ORIGINAL: OnceLock<u32> = OnceLock::new();

/// This process performs a check.
pub(super) fn begin() {
    let _ = ORIGINAL.set(process::id());
}

/// Ends this process if it is a copy. Called where code of the plugin has returned.
pub(super) fn end() {
    if ORIGINAL.get().is_some_and(|original| *original != process::id()) {
        // SAFETY: the call takes a number and does not return; what the original runs at its end is not run.
        unsafe { libc::_exit(0) };
    }
}
