//! The messages that were denied, by what denied them.

use std::collections::HashMap;

use hookrail::{CallbackId, Dropped, DroppedContent, HookPoint, Host, Message, MessageDropped, Outcome};

/// What denied: the callback, if it was one, and its code.
pub(super) type Cause = (Option<CallbackId>, u32);

/// Why, in words.
#[derive(Debug, Default)]
pub(super) struct Why {
    pub(super) by: String,
    pub(super) reason: String,
}

/// The denials with one cause.
pub(super) struct Denials {
    /// Of the first one.
    pub(super) why: Why,
    pub(super) count: u64,
}

/// All denials of a run.
pub(super) type ByCause = HashMap<Cause, Denials>;

impl Why {
    /// Why the last dispatch of this thread was denied.
    pub(super) fn of(host: &Host, outcome: &Outcome) -> Self {
        let denial = host.denial(outcome).map(|denial| (denial.by, denial.reason));
        let (by, reason) = denial.unwrap_or_default();
        Why { by: by.unwrap_or_default(), reason: reason.unwrap_or_default() }
    }

    /// Sends a denied message through `message.dropped`, and returns what that leaves of it.
    pub(super) fn tell(
        &self,
        host: &Host,
        dropped: &HookPoint<MessageDropped>,
        code: u32,
        message: Message,
    ) -> Message {
        let mut denied = Dropped::denied(message, self.by.as_str(), code, self.reason.as_str());
        if host.config().message.dropped != DroppedContent::Raw {
            denied.withhold();
        }
        let _ = dropped.dispatch(&mut denied);
        denied.message
    }
}
