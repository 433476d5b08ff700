//! The call into the plugin that a thread is making: its context, and what the plugin reported in it.

use std::cell::{Cell, RefCell};
use std::ptr::null;

use hookrail_abi::boundary::{Context, Str};

use crate::copies;

thread_local! {
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
    static CONTEXT: Cell<*const Context> = const { Cell::new(null()) };
}

/// Runs a function of the plugin; returns its result, and what it reported on this thread.
pub(super) fn within(has_context: bool, function: impl FnOnce() -> u32) -> (u32, Option<String>) {
    let context = Context {
        size: size_of::<Context>() as u32,
        reserved: 0,
        deadline_ns: 1,
        trace: [7; 16],
        principal: Str::new("somebody"),
        node: Str::new("here"),
    };
    let before = CONTEXT.replace(if has_context { &context } else { null() });
    let outer = SAID.take();
    let answer = function();
    copies::end();
    let said = SAID.replace(outer);
    CONTEXT.set(before);
    (answer, said)
}

/// Keeps what was reported in the current call.
pub(super) fn report(text: String) {
    // A plugin's thread may report after its thread-locals are destroyed.
    let _ = SAID.try_with(|said| *said.borrow_mut() = Some(text));
}

/// The context of the current call; null if it has none.
pub(super) fn current() -> *const Context {
    CONTEXT.try_with(Cell::get).unwrap_or(null())
}
