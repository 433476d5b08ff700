//! What was found on this machine.

use serde::Serialize;

/// What was looked at.
#[derive(Serialize)]
pub(super) struct Finding {
    /// Its subject.
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) state: State,
    /// What was found.
    pub(super) found: String,
    /// What to do about it; nothing if it is good.
    pub(super) fix: Option<String>,
}

/// How good it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// Good to know.
    Note,
    Warning,
    Failure,
}

impl Finding {
    pub(super) fn ok(group: &'static str, name: &'static str, found: impl Into<String>) -> Self {
        Finding { group, name, state: State::Ok, found: found.into(), fix: None }
    }

    pub(super) fn note(group: &'static str, name: &'static str, found: impl Into<String>) -> Self {
        Finding { state: State::Note, ..Self::ok(group, name, found) }
    }

    pub(super) fn warning(
        group: &'static str,
        name: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Finding { state: State::Warning, fix: Some(fix.into()), ..Self::ok(group, name, found) }
    }

    pub(super) fn failure(
        group: &'static str,
        name: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Finding { state: State::Failure, ..Self::warning(group, name, found, fix) }
    }
}
