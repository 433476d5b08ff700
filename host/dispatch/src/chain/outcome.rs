//! What a dispatch comes to.

use std::num::{NonZeroU32, NonZeroU64};

use hookrail_abi::Verdict;
use hookrail_abi::verdict::raw;

use super::id::CallbackId;

/// What a dispatch came to. `Copy`, and nothing in it points into a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The chain's answer; where nobody decided, the point's own.
    pub verdict: Verdict,
    /// The callback that decided, if one did. `Host::decision` tells its
    /// name and its reason.
    pub decided_by: Option<CallbackId>,
}

impl Outcome {
    #[inline(always)]
    pub(crate) const fn nobody(verdict: Verdict) -> Self {
        Outcome { verdict, decided_by: None }
    }

    /// Whether the answer is a denial.
    pub const fn is_denied(&self) -> bool {
        matches!(self.verdict, Verdict::Deny(_))
    }
}

/// A verdict in the words of people.
pub(super) fn words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Continue => "continue".into(),
        Verdict::Stop => "stop".into(),
        Verdict::Allow => "allow".into(),
        Verdict::Deny(code) => format!("deny {code}"),
    }
}

/// A decided outcome in one register, so that the hot loop spills nothing for the cold path's sake.
#[derive(Clone, Copy)]
pub(crate) struct Packed(NonZeroU64);

impl Packed {
    pub(crate) fn new(verdict: Verdict, by: CallbackId) -> Self {
        // A gate's "allow" shares its number with "stop": one more bit tells them apart.
        let allow = u64::from(verdict == Verdict::Allow) << 7;
        Packed(NonZeroU64::from(by.0) | u64::from(verdict.to_raw()) << 32 | allow << 32)
    }

    /// A denial that no callback is to blame for.
    pub(crate) fn denied_by_nobody() -> Self {
        Packed(const { NonZeroU64::new((raw::DENY as u64) << 32).expect("not zero") })
    }

    pub(crate) fn unpack(self) -> Outcome {
        let (id, verdict) = (self.0.get() as u32, (self.0.get() >> 32) as u32);
        let verdict = match verdict & 0xff {
            raw::STOP => Verdict::Stop,
            raw::DENY => Verdict::Deny(verdict >> 8),
            _ => Verdict::Allow,
        };
        Outcome { verdict, decided_by: NonZeroU32::new(id).map(CallbackId) }
    }
}
