//! What a plugin does that it must not: each listed once.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hookrail_abi::boundary::Str;

static OFFENCES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The plugin's offences so far, each listed once.
pub(crate) fn offences() -> Vec<String> {
    lock(&OFFENCES).iter().cloned().collect()
}

pub(super) fn offence(what: impl Into<String>) {
    lock(&OFFENCES).insert(what.into());
}

/// # Safety
/// `text` is null, or readable for the call.
pub(super) unsafe fn checked(text: Str, what: &str) -> String {
    // SAFETY: the text is null, or readable for the call.
    let text = unsafe { text.to_text() };
    // Invalid UTF-8 was replaced, which created a new text.
    if matches!(text, std::borrow::Cow::Owned(_)) {
        offence(format!("{what} is not UTF-8: {text}"));
    }
    text.into_owned()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
