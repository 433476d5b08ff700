//! Who denied a dispatch, and why.

use std::fmt;

use hookrail_abi::Decision;
use hookrail_dispatch::{Outcome, frame, names};

/// Who denied a dispatch, and why. Its `Display` form is a sentence for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The callback, as `instance/callback`; `None` if the point denies what no callback allows.
    pub by: Option<String>,
    /// The code, 24 bits.
    pub code: u32,
    /// The reason, if it is still known. It comes from a plugin, so it may contain anything.
    pub reason: Option<String>,
}

impl Denial {
    /// Who denied the dispatch, and why; `None` if it was not denied.
    ///
    /// The reason is kept on the thread that dispatched, until its next denial. If asked later or on another thread,
    /// the denial has no reason; it never has that of another denial.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        let Decision::Denied(code) = outcome.decision() else { return None };
        let by = outcome.decided_by().map(|callback| names::name(callback).to_string());
        Some(Denial { by, code, reason: frame::reason(outcome.denial()) })
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some(by) => write!(f, "denied by {by} with code {}", self.code)?,
            None => write!(f, "denied with code {}: no callback allowed it", self.code)?,
        }
        let Some(reason) = &self.reason else { return Ok(()) };
        f.write_str(": ")?;
        reason.chars().try_for_each(|letter| match letter {
            // In a sentence they mean nothing but themselves.
            '\'' | '"' | '\\' => write!(f, "{letter}"),
            _ => write!(f, "{}", letter.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_one_line_whatever_the_reason_has_in_it() {
        let denial = |by: Option<&str>, reason: Option<&str>| {
            Denial { by: by.map(Into::into), code: 7, reason: reason.map(Into::into) }.to_string()
        };
        assert_eq!(denial(None, None), "denied with code 7: no callback allowed it");
        assert_eq!(denial(Some("a/b"), Some("it's \"spam\"")), "denied by a/b with code 7: it's \"spam\"");
        assert_eq!(
            denial(Some("a/b"), Some("x\ny\u{1b}[2J\u{202e}")),
            r"denied by a/b with code 7: x\ny\u{1b}[2J\u{202e}"
        );
    }
}
