//! The points whose payloads this program knows.

use hookrail_abi::Point;
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};

use super::own::{Own, allows};

/// A point whose payload is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Of the catalogue: its payload is a message, or has one in it.
    BuiltIn(BuiltIn),
    /// Of the program that checks.
    Own(&'static Own),
}

/// A point of the catalogue that this program dispatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BuiltIn {
    Delivered,
    Dropped,
    Publish,
}

impl Known {
    pub(super) fn named(point: &str) -> Option<Self> {
        let own = || Own::all().iter().find(|own| own.name == point).map(Known::Own);
        BuiltIn::named(point).map(Known::BuiltIn).or_else(own)
    }

    /// The point of a callback, if it was built for exactly the payload that is known here.
    pub(super) fn of(point: &str, revision: u32, fingerprint: [u64; 2]) -> Option<Self> {
        let known = Self::named(point)?;
        let fits = match known {
            Known::BuiltIn(built_in) => built_in.fits(revision, fingerprint),
            Known::Own(own) => own.fits(revision, fingerprint),
        };
        fits.then_some(known)
    }

    /// Whether a callback may return this number there.
    pub(super) fn allows(self, answer: u32) -> bool {
        match self {
            Known::BuiltIn(BuiltIn::Delivered) => allows::<MessageDelivered>(answer),
            Known::BuiltIn(BuiltIn::Dropped) => allows::<MessageDropped>(answer),
            Known::BuiltIn(BuiltIn::Publish) => allows::<MessagePublish>(answer),
            Known::Own(own) => own.allows(answer),
        }
    }
}

impl BuiltIn {
    pub(super) fn named(point: &str) -> Option<Self> {
        match point {
            MessageDelivered::NAME => Some(BuiltIn::Delivered),
            MessageDropped::NAME => Some(BuiltIn::Dropped),
            MessagePublish::NAME => Some(BuiltIn::Publish),
            _ => None,
        }
    }

    fn fits(self, revision: u32, fingerprint: [u64; 2]) -> bool {
        let ours = match self {
            BuiltIn::Delivered => (MessageDelivered::REVISION, MessageDelivered::shape()),
            BuiltIn::Dropped => (MessageDropped::REVISION, MessageDropped::shape()),
            BuiltIn::Publish => (MessagePublish::REVISION, MessagePublish::shape()),
        };
        (revision, fingerprint) == (ours.0, ours.1.fingerprint)
    }

    /// Whether callbacks may only read.
    pub(super) fn is_notify(self) -> bool {
        self != BuiltIn::Publish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_revision_or_payload_is_not_known() {
        let fingerprint = MessagePublish::shape().fingerprint;
        assert_eq!(Known::of("message.publish", 1, fingerprint), Some(Known::BuiltIn(BuiltIn::Publish)));
        assert_eq!(Known::of("message.publish", 2, fingerprint), None);
        assert_eq!(Known::of("message.publish", 1, [0, 0]), None);
        assert_eq!(Known::of("message.published", 1, fingerprint), None);
    }

    #[test]
    fn a_verdict_is_one_of_the_point() {
        for (answer, publish, delivered) in [
            (0, true, true),
            (1, true, false),
            (2, true, false),
            (2 | 7 << 8, true, false),
            (1 << 8, false, false),
            (255, false, false),
        ] {
            assert_eq!(Known::BuiltIn(BuiltIn::Publish).allows(answer), publish, "{answer}");
            assert_eq!(Known::BuiltIn(BuiltIn::Delivered).allows(answer), delivered, "{answer}");
        }
    }
}
