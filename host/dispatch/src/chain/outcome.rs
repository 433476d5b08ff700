//! The outcome of a dispatch.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use hookrail_abi::Decision;
use hookrail_abi::verdict::raw;

use super::id::CallbackId;
use crate::frame;

/// The outcome of a dispatch. It is `Copy`, fits in two registers, and points to nothing in a plugin.
#[derive(Clone, Copy)]
#[must_use = "a denied payload must not pass"]
pub struct Outcome {
    /// The decision, as in [`Packed`].
    decided: u64,
    /// The number of the denial on its thread, if it is one; used to find the reason.
    denial: u64,
}

impl Outcome {
    /// The point's default: no callback decided.
    #[inline(always)]
    pub(crate) const fn default(decision: Decision) -> Self {
        let raw = match decision {
            Decision::Allowed => raw::ALLOW,
            Decision::Denied(code) => raw::DENY | code << 8,
            Decision::Passed => raw::CONTINUE,
            Decision::Skipped => raw::SKIP,
        };
        Outcome { decided: (raw as u64) << 32, denial: 0 }
    }

    /// The decision of the chain.
    #[inline]
    pub const fn decision(&self) -> Decision {
        let raw = (self.decided >> 32) as u32;
        match raw & 0xff {
            raw::ALLOW => Decision::Allowed,
            raw::DENY => Decision::Denied(raw >> 8),
            raw::SKIP => Decision::Skipped,
            _ => Decision::Passed,
        }
    }

    /// Whether it is denied; every other decision passes.
    #[inline]
    pub const fn is_denied(&self) -> bool {
        matches!(self.decision(), Decision::Denied(_))
    }

    /// The callback that decided, if one did. `Host::decided_by` returns its name.
    pub const fn decided_by(&self) -> Option<CallbackId> {
        match NonZeroU32::new(self.decided as u32) {
            Some(id) => Some(CallbackId(id)),
            None => None,
        }
    }

    /// Why it was denied, if a callback gave a reason; `None` on another thread, or after the next denial on this one.
    #[doc(hidden)]
    pub fn reason(&self) -> Option<String> {
        frame::reason(self.denial)
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (decision, decided_by) = (self.decision(), self.decided_by());
        f.debug_struct("Outcome").field("decision", &decision).field("decided_by", &decided_by).finish()
    }
}

/// A callback's decision in one register, so that the hot loop spills nothing for the sake of the cold path: the
/// verdict as the boundary carries it, and above it the callback's id.
#[derive(Clone, Copy)]
pub(crate) struct Packed(NonZeroU64);

impl Packed {
    /// `verdict` must not be "continue".
    pub(crate) fn new(verdict: u32, by: CallbackId) -> Self {
        Packed(NonZeroU64::from(by.0) | u64::from(verdict) << 32)
    }

    /// A denial that comes from no callback.
    pub(crate) fn denied_by_nobody() -> Self {
        Packed(const { NonZeroU64::new((raw::DENY as u64) << 32).expect("not zero") })
    }

    /// The verdict, as the boundary carries it.
    pub(crate) fn verdict(self) -> u32 {
        (self.0.get() >> 32) as u32
    }

    /// Must be called by the thread that decided, before it dispatches again.
    pub(crate) fn unpack(self) -> Outcome {
        let denial = if self.verdict() & 0xff == raw::DENY { frame::last_denial() } else { 0 };
        Outcome { decided: self.0.get(), denial }
    }
}
