//! What a dispatch comes to.

use hookrail_abi::Verdict;

use super::CallbackId;

/// What a dispatch came to. `Copy`, and nothing in it points into a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The chain's answer; where nobody decided, the point's own.
    pub verdict: Verdict,
    /// The callback that decided, if one did. [`Host::decision`](crate::Host::decision) tells its
    /// name and its reason.
    pub decided_by: Option<CallbackId>,
}

impl Outcome {
    #[inline(always)]
    pub(crate) const fn nobody(verdict: Verdict) -> Self {
        Outcome { verdict, decided_by: None }
    }

    pub(crate) const fn decided(verdict: Verdict, by: CallbackId) -> Self {
        Outcome { verdict, decided_by: Some(by) }
    }

    /// Whether the answer is a denial.
    pub const fn is_denied(&self) -> bool {
        matches!(self.verdict, Verdict::Deny(_))
    }
}
