//! The points that messages pass on their way.

use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{DropKind, Dropped, Message};
use hookrail_dispatch::{HookPoint, Outcome};
use hookrail_engine::{Denial, DroppedContent, Host};
use hookrail_model::error::Error;

/// The points that messages pass.
#[derive(Debug)]
pub(crate) struct Points {
    pub(crate) publish: HookPoint<MessagePublish>,
    pub(crate) delivered: HookPoint<MessageDelivered>,
    pub(crate) dropped: HookPoint<MessageDropped>,
    is_withheld: bool,
}

impl Points {
    pub(crate) fn of(host: &Host) -> Result<Self, Error> {
        Ok(Points {
            publish: host.point(MessagePublish)?,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            is_withheld: host.config().message.dropped != DroppedContent::Raw,
        })
    }

    /// Has the callbacks of `message.dropped` told.
    pub(crate) fn dropped(&self, message: Message, kind: DropKind, outcome: Option<&Outcome>, why: &str) {
        if !self.dropped.is_hooked() {
            return;
        }
        let denial = outcome.and_then(Denial::of);
        let mut dropped = match &denial {
            Some(denial) => {
                let (by, reason) = (denial.by.as_deref().unwrap_or_default(), denial.reason.as_deref());
                Dropped::denied(message, by, denial.code, reason.unwrap_or_default())
            }
            None => Dropped::new(message, kind),
        };
        if denial.is_none() {
            dropped.reason.set(why);
        }
        if self.is_withheld {
            dropped.withhold();
        }
        let _ = self.dropped.dispatch(&mut dropped);
    }
}
