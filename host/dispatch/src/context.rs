//! The context of a dispatch, for callbacks that ask for it.

use hookrail_abi::boundary::{Context, Str};

use crate::frame;

/// The context of a dispatch: a deadline, a trace, a principal, a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispatchContext<'a> {
    /// The deadline, in nanoseconds of `CLOCK_MONOTONIC`; 0 for none.
    pub deadline: u64,
    /// The W3C trace id; all zeros for none.
    pub trace: [u8; 16],
    /// The principal on whose behalf it runs; may be empty.
    pub principal: &'a str,
    /// The node that it runs on; may be empty.
    pub node: &'a str,
}

impl DispatchContext<'_> {
    /// Runs `dispatch`; callbacks of dispatches inside it see this context.
    pub fn scope<R>(&self, dispatch: impl FnOnce() -> R) -> R {
        let context = Context {
            size: size_of::<Context>() as u32,
            reserved: 0,
            deadline_ns: self.deadline,
            trace: self.trace,
            principal: Str::new(self.principal),
            node: Str::new(self.node),
        };
        frame::about(&context, dispatch)
    }
}
