//! How a worker ends by itself.

/// Says why on stderr, which is the host's.
pub(super) fn fail(what: &str) -> ! {
    eprintln!("hookrail worker: {what}");
    end(1)
}

/// Ends the process without running anything: threads of plugins may be anywhere.
pub(super) fn end(status: i32) -> ! {
    // SAFETY: the function takes a number.
    unsafe { libc::_exit(status) }
}
