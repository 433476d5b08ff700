//! What a dispatch comes to.

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
    /// No callback decided: the point's default.
    #[inline(always)]
    pub(crate) const fn default(decision: Decision) -> Self {
        Outcome { decision, decided_by: None, denial: 0 }
    }

    /// What the chain came to.
    #[inline]
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether it is denied; whatever else it came to, it passes.
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

/// A decision of a callback in one register, so that the hot loop spills nothing for the cold path's sake: its verdict
/// as the boundary carries it, above the callback's id.
#[derive(Clone, Copy)]
pub(crate) struct Packed(NonZeroU64);

impl Packed {
    /// `verdict` is another one than "continue".
    pub(crate) fn new(verdict: u32, by: CallbackId) -> Self {
        Packed(NonZeroU64::from(by.0) | u64::from(verdict) << 32)
    }

    /// A denial that no callback is to blame for.
    pub(crate) fn denied_by_nobody() -> Self {
        Packed(const { NonZeroU64::new((raw::DENY as u64) << 32).expect("not zero") })
    }

    /// Its verdict, as the boundary carries it.
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
