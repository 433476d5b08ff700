//! What a dispatch is about, for callbacks that ask.

use std::cell::Cell;
use std::ptr::null;

use hookrail_abi::boundary::{Context, Str};

thread_local! {
    static CURRENT: Cell<*const Context> = const { Cell::new(null()) };
}

/// What a dispatch is about: a deadline, a trace, a principal, a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// When the answer is needed, in nanoseconds of `CLOCK_MONOTONIC`; 0 for no deadline.
    pub deadline: u64,
    /// The W3C trace id; all zeros for none.
    pub trace: [u8; 16],
    /// On whose behalf; may be empty.
    pub principal: &'a str,
    /// The machine; may be empty.
    pub node: &'a str,
}

impl About<'_> {
    /// Runs `dispatch`; callbacks of dispatches in it are told what they are about.
    pub fn scope<R>(&self, dispatch: impl FnOnce() -> R) -> R {
        /// Puts the outer context back, on unwinding too.
        struct Restore(*const Context);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let context = Context {
            size: size_of::<Context>() as u32,
            reserved: 0,
            deadline: self.deadline,
            trace: self.trace,
            principal: Str::new(self.principal),
            node: Str::new(self.node),
        };
        let _restore = Restore(CURRENT.replace(&context));
        dispatch()
    }
}

pub(crate) unsafe extern "C" fn current() -> *const Context {
    CURRENT.get()
}
