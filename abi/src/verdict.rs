//! What callbacks return, what chains come to, and the numbers by which verdicts cross the boundary.

use std::fmt::Display;

use crate::host::{self, Report};

/// What a callback of a fold point returns when it does not deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Go on with the next callback.
    Continue,
    /// The payload is handled: skip the rest of the chain. It passes.
    Skip,
}

/// What a callback of a fold point returns where the point may be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Go on with the next callback.
    Continue,
    /// The payload is handled: skip the rest of the chain. It passes.
    Skip,
    /// Refuse it, with a code for the program that dispatches.
    Deny(u16),
}

/// What a callback of a gate returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Access {
    /// Go on with the next callback: this one has no opinion.
    Continue,
    /// Let it pass, and skip the rest of the chain.
    Allow,
    /// Refuse it, with a code for the program that dispatches.
    Deny(u16),
}

impl Verdict {
    /// Denies with a code and says why; the reason reaches the log and whoever asks for the denial.
    pub fn deny(code: u16, reason: impl Display) -> Self {
        host::report(Report::Denied, &reason.to_string());
        Verdict::Deny(code)
    }
}

impl Access {
    /// Denies with a code and says why; the reason reaches the log and whoever asks for the denial.
    pub fn deny(code: u16, reason: impl Display) -> Self {
        host::report(Report::Denied, &reason.to_string());
        Access::Deny(code)
    }
}

/// What a chain came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A gate's callback allowed it, or nobody decided and the point's default is to allow.
    Allowed,
    /// A callback denied it, or failed where faults deny, or nobody decided and the point's default is to deny.
    /// The code has 24 bits.
    Denied(u32),
    /// No callback decided, and it passes.
    Passed,
    /// A callback handled it, and the rest of the chain was skipped. It passes.
    Skipped,
}

/// The numbers that a callback returns: bits 0 to 7 the kind, bits 8 to 31 a code. A number that the point's kind
/// does not have is a fault.
pub mod raw {
    /// Go on.
    pub const CONTINUE: u32 = 0;
    /// Fold only: handled, skip the rest of the chain.
    pub const SKIP: u32 = 1;
    /// Gate, and fold where the point may be denied: deny; bits 8 to 31 are the code.
    pub const DENY: u32 = 2;
    /// Gate only: let it pass, skip the rest of the chain.
    pub const ALLOW: u32 = 4;
    /// The callback failed; it reported the text before.
    pub const FAULT: u32 = 255;
}
