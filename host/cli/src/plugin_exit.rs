//! A plugin that calls `exit` ends the process, and the run with it: that is reported, and never a success, whatever
//! status the plugin chose. `_exit` ends the process without asking anybody.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::error::Error;
use crate::exit::ExitCode;
use crate::stderr;

/// The process whose `exit` would be a plugin's; 0 if there is none. A child that a plugin forks may do as it likes.
static WATCHED: AtomicU32 = AtomicU32::new(0);
static IS_FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// While this lives, an `exit` is a plugin's: the program itself returns from `main` instead.
pub(crate) struct PluginExit(());

impl PluginExit {
    /// Before any plugin is loaded, with how errors are to be reported.
    pub(crate) fn watch(is_for_programs: bool) -> Self {
        static ONCE: Once = Once::new();
        // SAFETY: the function is there for as long as the process.
        ONCE.call_once(|| _ = unsafe { libc::atexit(ended) });
        IS_FOR_PROGRAMS.store(is_for_programs, Ordering::Relaxed);
        WATCHED.store(process::id(), Ordering::Relaxed);
        PluginExit(())
    }
}

impl Drop for PluginExit {
    fn drop(&mut self) {
        WATCHED.store(0, Ordering::Relaxed);
    }
}

/// Runs after the plugin's own functions of this kind, which it registered later.
extern "C" fn ended() {
    if WATCHED.load(Ordering::Relaxed) == process::id() {
        stderr::report(&Error::PluginExit, IS_FOR_PROGRAMS.load(Ordering::Relaxed));
        // SAFETY: it writes what C code has printed, as the rest of `exit` would, and ends the process.
        unsafe {
            libc::fflush(std::ptr::null_mut());
            libc::_exit(ExitCode::Failure as i32);
        }
    }
}
