//! What plugin code says on this thread, kept for whoever called it. Only cold paths come here.

use std::cell::{Cell, RefCell};

use hookrail_abi::host::Saying;

use crate::reclaim;

/// A text, and the call it was said from: that of the dispatch's innermost entry, if any.
struct Said {
    kind: u32,
    text: String,
    within: Option<(u64, *mut ())>,
}

thread_local! {
    static SAID: RefCell<Option<Said>> = const { RefCell::new(None) };
    /// Whether this thread is in a call of `during`.
    static CALLING: Cell<bool> = const { Cell::new(false) };
    /// Why the last dispatch of this thread that was denied was.
    static REASON: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what was said. What is said outside of a dispatch and of [`during`] is logged: nobody
/// would ask for it.
pub(crate) fn say(kind: u32, text: &str) {
    let said = Said { kind, text: text.into(), within: reclaim::innermost() };
    let asked_for = said.within.is_some() || CALLING.try_with(Cell::get).unwrap_or(false);
    if !asked_for || SAID.try_with(|last| last.replace(Some(said))).is_err() {
        tracing::error!("a plugin says, outside of any call: {text}");
    }
}

/// Runs a call into a plugin outside of any dispatch; answers what it returned and what it said.
pub(crate) fn during<R>(call: impl FnOnce() -> R) -> (R, Option<String>) {
    let before = CALLING.replace(true);
    SAID.take();
    let result = call();
    CALLING.set(before);
    (result, SAID.take().map(|said| said.text))
}

/// Whether this thread is in a call of [`during`].
pub(crate) fn is_calling() -> bool {
    CALLING.get()
}

/// What the callback that just returned said, if it said something of that kind.
pub(crate) fn take(kind: Saying) -> Option<String> {
    let within = reclaim::innermost();
    let taken =
        SAID.try_with(|said| said.borrow_mut().take_if(|said| said.kind == kind as u32 && said.within == within));
    taken.ok().flatten().map(|said| said.text)
}

/// Keeps the reason of a denial for [`reason`].
pub(crate) fn keep_reason(reason: String) {
    let _ = REASON.try_with(|kept| kept.replace(reason));
}

/// Why this thread's last denied dispatch was denied; empty when nobody said.
pub(crate) fn reason() -> String {
    REASON.try_with(|reason| reason.borrow().clone()).unwrap_or_default()
}
