//! What a callback answers, and how it crosses the boundary.

use std::fmt::Display;

use crate::error::Error;
use crate::host::{self, ReportKind};

/// One callback's answer, or a chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on with the next callback. As a chain's answer: nobody decided, and the point's default
    /// is to let it pass.
    Continue,
    /// Handled: skip the rest of the chain. It does not mean "deny".
    Stop,
    /// Let it pass: the answer of a gate.
    Allow,
    /// Refuse it, with a code of 24 bits for the program that asked.
    Deny(u32),
}

impl Verdict {
    /// Refuses with a code and says why; the reason reaches the log and whoever asks the outcome.
    pub fn deny(code: u32, reason: impl Display) -> Self {
        host::report(ReportKind::Denied, &reason.to_string());
        Verdict::Deny(code)
    }

    /// As the boundary carries it; a deny code is cut to 24 bits.
    pub const fn to_raw(self) -> u32 {
        match self {
            Verdict::Continue => raw::CONTINUE,
            Verdict::Stop | Verdict::Allow => raw::STOP,
            Verdict::Deny(code) => raw::DENY | code << 8,
        }
    }
}

/// The numbers of a callback's result: bits 0-7 the kind, bits 8-31 a code.
pub mod raw {
    /// Go on.
    pub const CONTINUE: u32 = 0;
    /// Fold and notify: handled, skip the rest. Gate: allow.
    pub const STOP: u32 = 1;
    /// Deny; bits 8-31 are the code.
    pub const DENY: u32 = 2;
    /// The callback failed; the text was said before.
    pub const FAULT: u32 = 255;
}

/// What a callback written in Rust may return: nothing, a [`Verdict`], or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "a callback cannot return `{Self}`",
    note = "return nothing, a `Verdict`, or a `Result` of either"
)]
pub trait Answer {
    /// The result as the boundary carries it; an error is said first.
    fn into_raw(self) -> u32;
}

impl Answer for () {
    fn into_raw(self) -> u32 {
        raw::CONTINUE
    }
}

impl Answer for Verdict {
    fn into_raw(self) -> u32 {
        self.to_raw()
    }
}

impl<T: Answer> Answer for Result<T, Error> {
    fn into_raw(self) -> u32 {
        match self {
            Ok(answer) => answer.into_raw(),
            Err(error) => {
                host::report(ReportKind::Fault, &error.to_string());
                raw::FAULT
            }
        }
    }
}
