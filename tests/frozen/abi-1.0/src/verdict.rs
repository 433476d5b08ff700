//! What callbacks return, what chains come to, and the numbers by which verdicts cross the boundary.

use std::fmt::Display;

use crate::host::{self, Report};

/// The verdict of a callback of a fold point that does not deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "it decides only when it is returned"]
pub enum Flow {
    /// Continue with the next callback.
    Continue,
    /// The payload is handled: skip the rest of the chain. The payload passes.
    Skip,
}

/// The verdict of a callback of a fold point that may be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "it decides only when it is returned"]
pub enum Verdict {
    /// Continue with the next callback.
    Continue,
    /// The payload is handled: skip the rest of the chain. The payload passes.
    Skip,
    /// Refuse the payload, with a code for the program that dispatches.
    Deny(u16),
}

/// The verdict of a callback of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "it decides only when it is returned"]
pub enum Access {
    /// Continue with the next callback: this one does not decide.
    Continue,
    /// Let the request pass, and skip the rest of the chain.
    Allow,
    /// Refuse the request, with a code for the program that dispatches.
    Deny(u16),
}

impl Verdict {
    /// Denies with a code and a reason. The reason reaches logs, and callers that ask for the denial: do not quote the
    /// payload in it, which other callbacks may have yet to mask.
    pub fn deny(code: u16, reason: impl Display) -> Self {
        host::report(Report::Denied, &reason.to_string());
        Verdict::Deny(code)
    }
}

impl Access {
    /// Denies with a code and a reason. The reason reaches logs, and callers that ask for the denial: do not quote the
    /// payload in it, which other callbacks may have yet to mask.
    pub fn deny(code: u16, reason: impl Display) -> Self {
        host::report(Report::Denied, &reason.to_string());
        Access::Deny(code)
    }
}

/// The decision of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// A gate's callback allowed it, or no callback decided and the point's default is to allow.
    Allowed,
    /// A callback denied it, or faulted where faults deny, or no callback decided and the point's default is to deny.
    /// The code has 24 bits.
    Denied(u32),
    /// No callback decided, and the payload passes.
    Passed,
    /// A callback handled the payload, and the rest of the chain was skipped. The payload passes.
    Skipped,
}

impl Decision {
    /// The number by which it crosses the boundary.
    #[doc(hidden)]
    pub const fn to_raw(self) -> u32 {
        match self {
            Decision::Allowed => raw::ALLOW,
            Decision::Denied(code) => raw::DENY | code << 8,
            Decision::Passed => raw::CONTINUE,
            Decision::Skipped => raw::SKIP,
        }
    }

    /// The decision of that number; of one that no decision has, a denial.
    #[doc(hidden)]
    pub const fn from_raw(number: u32) -> Self {
        match number & 0xff {
            raw::ALLOW => Decision::Allowed,
            raw::CONTINUE => Decision::Passed,
            raw::SKIP => Decision::Skipped,
            _ => Decision::Denied(number >> 8),
        }
    }
}

/// The numbers that a callback returns: bits 0 to 7 are the kind, bits 8 to 31 a code. A number that the point's kind
/// does not have is a fault.
pub mod raw {
    /// Continue with the next callback.
    pub const CONTINUE: u32 = 0;
    /// Fold only: handled, skip the rest of the chain.
    pub const SKIP: u32 = 1;
    /// Gate, and fold where the point may be denied: deny; bits 8 to 31 are the code.
    pub const DENY: u32 = 2;
    /// Reserved for asynchronous callbacks. In ABI 1.0 it is a fault.
    pub const PENDING: u32 = 3;
    /// Gate only: let it pass, and skip the rest of the chain.
    pub const ALLOW: u32 = 4;
    /// The callback failed, and reported why before it returned.
    pub const FAULT: u32 = 255;
}
