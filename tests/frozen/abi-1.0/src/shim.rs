//! The only place where a panic is caught.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::diagnostics;

/// Runs `call`. If it panics, reports the panic to the host and returns `panicked`.
///
/// The panic's payload is forgotten, not dropped: a payload whose own `Drop` panics would abort the host. The price is
/// one leaked panic message.
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
