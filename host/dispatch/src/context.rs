//! The context of a dispatch, for callbacks that ask for it.

use std::time::Instant;

use hookrail_abi::boundary::{Context, Str};

use crate::frame;
use crate::stats::monotonic;

/// The context of a dispatch: a deadline, a trace, a principal, a node. Callbacks, those of this program too, read it
/// with [`with_context`](hookrail_abi::host::with_context).
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use hookrail::{Config, DispatchContext, Host, Message, MessagePublish};
///
/// let host = Host::new(Config::default())?;
/// let publish = host.point(MessagePublish)?;
/// let context = DispatchContext::default()
///     .with_principal("ada")
///     .with_deadline(Instant::now() + Duration::from_millis(50));
/// let outcome = context.scope(|| publish.dispatch(&mut Message::new("a", "text")));
/// # assert!(!outcome.is_denied());
/// # Ok::<(), hookrail::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DispatchContext<'a> {
    /// The deadline, if there is one. The host does not enforce it: callbacks may look at it.
    pub deadline: Option<Instant>,
    /// The W3C trace id; all zeros for none.
    pub trace: [u8; 16],
    /// The principal on whose behalf it runs; may be empty.
    pub principal: &'a str,
    /// The node that it runs on; may be empty.
    pub node: &'a str,
}

impl<'a> DispatchContext<'a> {
    /// Sets the [`deadline`](Self#structfield.deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the [`trace`](Self#structfield.trace).
    #[must_use]
    pub fn with_trace(mut self, trace: [u8; 16]) -> Self {
        self.trace = trace;
        self
    }

    /// Sets the [`principal`](Self#structfield.principal).
    #[must_use]
    pub fn with_principal(mut self, principal: &'a str) -> Self {
        self.principal = principal;
        self
    }

    /// Sets the [`node`](Self#structfield.node).
    #[must_use]
    pub fn with_node(mut self, node: &'a str) -> Self {
        self.node = node;
        self
    }

    /// Runs `dispatch`; callbacks of dispatches inside it see this context.
    pub fn scope<R>(&self, dispatch: impl FnOnce() -> R) -> R {
        let context = Context {
            size: size_of::<Context>() as u32,
            reserved: 0,
            deadline_ns: self.deadline.map_or(0, nanoseconds),
            trace: self.trace,
            principal: Str::new(self.principal),
            node: Str::new(self.node),
        };
        frame::about(&context, dispatch)
    }
}

/// An instant as a number of `CLOCK_MONOTONIC`, which is not 0.
///
/// An `Instant` tells no number, so both clocks are read, and what is left by the one is left by the other: on Linux
/// both are the same clock. The number is read first, so what passes between the two readings makes the result earlier,
/// and never later, than the instant.
fn nanoseconds(instant: Instant) -> u64 {
    let (now_ns, now) = (monotonic(), Instant::now());
    let nanoseconds = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let left = nanoseconds(instant.saturating_duration_since(now));
    let over = nanoseconds(now.saturating_duration_since(instant));
    now_ns.saturating_add(left).saturating_sub(over).max(1)
}
