//! The part of a call frame that has to be freed: texts.

use std::cell::Cell;

use super::said::{Panic, Report};

/// What was said on a thread, until somebody asks.
#[derive(Default)]
pub(super) struct Texts {
    /// The last text.
    pub(super) said: Cell<Option<Report>>,
    /// Why the last dispatch that was denied was.
    pub(super) reason: Cell<String>,
    /// The last panic, until it is known what became of it.
    pub(super) panic: Cell<Option<Panic>>,
}

/// Frees the texts of its thread when the thread ends.
pub(super) struct Owner(pub(super) fn());

impl Drop for Owner {
    fn drop(&mut self) {
        (self.0)();
    }
}
