//! The one place where a panic is caught.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::{self, Saying};

/// Whether our panic hook is in place and says the message with its location.
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Runs `call`; a panic in it answers `panicked`, and its message has been said.
///
/// The panic's payload is forgotten, not dropped: a payload whose own `Drop` panics would abort the
/// host. A leak of one panic message is the price.
#[inline]
pub(crate) fn guarded(panicked: u32, call: impl FnOnce() -> u32) -> u32 {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => answer,
        Err(payload) => {
            caught(payload);
            panicked
        }
    }
}

#[cold]
#[inline(never)]
fn caught(payload: Box<dyn std::any::Any + Send>) {
    // Relaxed: set once, before the first call.
    if !HOOKED.load(Ordering::Relaxed) {
        host::say(Saying::Fault, &format!("panicked: {}", text_of(&*payload)));
    }
    std::mem::forget(payload);
}

/// Sends panics of this library to the host instead of stderr, with their place.
///
/// The hook has no size, so nothing of it is left behind when the library goes.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
        host::say(Saying::Fault, &format!("panicked: {}{place}", text_of(info.payload())));
    }));
    HOOKED.store(true, Ordering::Relaxed);
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is no text")
}
