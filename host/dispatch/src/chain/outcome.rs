//! The outcome of a dispatch.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use hookrail_abi::Decision;
use hookrail_abi::verdict::raw;

use super::id::CallbackId;

/// What a dispatch came to. `Copy`, and nothing in it points into a plugin.
#[derive(Clone, Copy)]
#[must_use = "a denied payload must not pass"]
pub struct Outcome {
    decision: Decision,
    decided_by: Option<CallbackId>,
    /// Which denial of its thread it is, if it is one, to find the reason by.
    denial: u64,
}

impl Outcome {
    /// The point's default: no callback decided.
    #[inline(always)]
    pub(crate) const fn default(decision: Decision) -> Self {
        Outcome { decision, decided_by: None, denial: 0 }
    }

    /// The decision of the chain.
    #[inline]
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether it is denied; every other decision passes.
    #[inline]
    pub const fn is_denied(&self) -> bool {
        matches!(self.decision, Decision::Denied(_))
    }

    /// The callback that decided, if one did. `Host::decided_by` has its name.
    #[inline]
    pub const fn decided_by(&self) -> Option<CallbackId> {
        self.decided_by
    }

    /// The number of the denial, 0 for none: for whoever keeps the reasons.
    #[doc(hidden)]
    pub const fn denial(&self) -> u64 {
        self.denial
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { decision, decided_by, .. } = self;
        f.debug_struct("Outcome").field("decision", decision).field("decided_by", decided_by).finish()
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

    /// `denial` is the number of this thread's last denial: it is this one, if it is one.
    pub(crate) fn unpack(self, denial: impl FnOnce() -> u64) -> Outcome {
        let (id, verdict) = (self.0.get() as u32, self.verdict());
        let (decision, denial) = match verdict & 0xff {
            raw::ALLOW => (Decision::Allowed, 0),
            raw::DENY => (Decision::Denied(verdict >> 8), denial()),
            _ => (Decision::Skipped, 0),
        };
        Outcome { decision, decided_by: NonZeroU32::new(id).map(CallbackId), denial }
    }
}
