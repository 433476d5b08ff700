//! What the callbacks of a kind of points may return in Rust.

use crate::error::{Error, with_causes};
use crate::host::{self, Report};
use crate::kind::{Fold, Gate, Kind};
use crate::verdict::{Access, Flow, Verdict, raw};

/// What a callback written in Rust may return on points of kind `K`.
///
/// | kind | return |
/// |---|---|
/// | notify | nothing, `Result<()>` |
/// | fold | nothing, [`Flow`], [`Verdict`] where the point may be denied, or a `Result` of either |
/// | gate | nothing, [`Access`], or a `Result` of either |
///
/// An error is a fault: the chain goes on or denies as the point's [`FaultPolicy`](crate::FaultPolicy) says.
#[diagnostic::on_unimplemented(
    message = "a callback of a point of kind `{K}` cannot return `{Self}`",
    note = "notify: return nothing or `Result<()>`",
    note = "fold: return nothing, `Flow`, `Verdict` where the point may be denied, or a `Result` of these",
    note = "gate: return nothing, `Access`, or a `Result` of these"
)]
pub trait Answer<K: Kind> {
    /// Whether it can deny, which not every fold point allows.
    #[doc(hidden)]
    const MAY_DENY: bool = false;

    /// The number as the boundary carries it; an error is reported first.
    fn into_raw(self) -> u32;
}

impl<K: Kind> Answer<K> for () {
    fn into_raw(self) -> u32 {
        raw::CONTINUE
    }
}

impl Answer<Fold> for Flow {
    fn into_raw(self) -> u32 {
        match self {
            Flow::Continue => raw::CONTINUE,
            Flow::Skip => raw::SKIP,
        }
    }
}

impl Answer<Fold> for Verdict {
    const MAY_DENY: bool = true;

    fn into_raw(self) -> u32 {
        match self {
            Verdict::Continue => raw::CONTINUE,
            Verdict::Skip => raw::SKIP,
            Verdict::Deny(code) => raw::DENY | u32::from(code) << 8,
        }
    }
}

impl Answer<Gate> for Access {
    const MAY_DENY: bool = true;

    fn into_raw(self) -> u32 {
        match self {
            Access::Continue => raw::CONTINUE,
            Access::Allow => raw::ALLOW,
            Access::Deny(code) => raw::DENY | u32::from(code) << 8,
        }
    }
}

impl<K: Kind, T: Answer<K>> Answer<K> for Result<T, Error> {
    const MAY_DENY: bool = T::MAY_DENY;

    fn into_raw(self) -> u32 {
        match self {
            Ok(answer) => answer.into_raw(),
            Err(error) => {
                host::report(Report::Fault, &with_causes(&*error));
                raw::FAULT
            }
        }
    }
}
