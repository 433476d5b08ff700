//! The one place where a panic is caught.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::diagnostics;

/// Runs `call`; a panic in it returns `panicked`, and the host has been told of it.
///
/// The panic's payload is forgotten, not dropped: a payload whose own `Drop` panics would abort the
/// host. A leak of one panic message is the price.
#[inline]
pub(crate) fn guarded(panicked: u32, call: impl FnOnce() -> u32) -> u32 {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => answer,
        Err(payload) => {
            diagnostics::caught(payload);
            panicked
        }
    }
}
