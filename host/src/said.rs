//! What plugin code says on this thread, kept for whoever called it. Only cold paths come here.

use std::cell::{Cell, RefCell};

use hookrail_abi::host::Saying;

use crate::diagnostics::Panic;
use crate::reclaim;

/// A text, and the call it was said from: that of the dispatch's innermost entry, if any.
pub(crate) struct Said {
    kind: u32,
    pub(crate) text: String,
    /// The panic that the text is about.
    pub(crate) panic: Option<Panic>,
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
    keep(kind, text.into(), None);
}

/// Keeps a panic that has ended the call.
pub(crate) fn panicked(panic: Panic) {
    keep(Saying::Fault as u32, panic.to_string(), Some(panic));
}

fn keep(kind: u32, text: String, panic: Option<Panic>) {
    let within = reclaim::innermost();
    let mut said = Some(Said { kind, text, panic, within });
    let asked_for = within.is_some() || CALLING.try_with(Cell::get).unwrap_or(false);
    if asked_for {
        let _ = SAID.try_with(|last| last.replace(said.take()));
    }
    if let Some(said) = said {
        log!(error, "a plugin says, outside of any call: {}", said.text);
    }
}

/// Runs a call into a plugin outside of any dispatch; answers what it returned and what it said.
pub(crate) fn during<R>(call: impl FnOnce() -> R) -> (R, Option<Said>) {
    let before = CALLING.replace(true);
    SAID.take();
    let result = call();
    CALLING.set(before);
    (result, SAID.take())
}

/// Whether this thread is in a call of [`during`].
pub(crate) fn is_calling() -> bool {
    CALLING.get()
}

/// What the callback that just returned said, if it said something of that kind.
pub(crate) fn take(kind: Saying) -> Option<Said> {
    let within = reclaim::innermost();
    let taken =
        SAID.try_with(|said| said.borrow_mut().take_if(|said| said.kind == kind as u32 && said.within == within));
    taken.ok().flatten()
}

/// What the callback that just returned said, whatever that is about; it can still be taken.
pub(crate) fn heard() -> Option<String> {
    let within = reclaim::innermost();
    let heard = SAID.try_with(|said| {
        let said = said.borrow();
        said.as_ref().filter(|said| said.within == within).map(|said| said.text.clone())
    });
    heard.ok().flatten()
}

/// Keeps the reason of a denial for [`reason`].
pub(crate) fn keep_reason(reason: String) {
    let _ = REASON.try_with(|kept| kept.replace(reason));
}

/// Why this thread's last denied dispatch was denied; empty when nobody said.
pub(crate) fn reason() -> String {
    REASON.try_with(|reason| reason.borrow().clone()).unwrap_or_default()
}
