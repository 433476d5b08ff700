//! What a dispatch is about, for callbacks that ask.

use hookrail_abi::boundary::{Context, Str};

use crate::frame;

/// What a dispatch is about: a deadline, a trace, a principal, a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispatchContext<'a> {
    /// When the answer is needed, in nanoseconds of `CLOCK_MONOTONIC`; 0 for no deadline.
    pub deadline: u64,
    /// The W3C trace id; all zeros for none.
    pub trace: [u8; 16],
    /// On whose behalf; may be empty.
    pub principal: &'a str,
    /// The machine; may be empty.
    pub node: &'a str,
}

impl DispatchContext<'_> {
    /// Runs `dispatch`; callbacks of dispatches in it are told what they are about.
    pub fn scope<R>(&self, dispatch: impl FnOnce() -> R) -> R {
        let context = Context {
            size: size_of::<Context>() as u32,
            reserved: 0,
            deadline: self.deadline,
            trace: self.trace,
            principal: Str::new(self.principal),
            node: Str::new(self.node),
        };
        frame::about(&context, dispatch)
    }
}
