//! The points whose payloads this program knows.

use hookrail_abi::Point;
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};

/// A point whose payload is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Delivered,
    Dropped,
    Publish,
}

impl Known {
    pub(super) fn named(point: &str) -> Option<Self> {
        match point {
            MessageDelivered::NAME => Some(Known::Delivered),
            MessageDropped::NAME => Some(Known::Dropped),
            MessagePublish::NAME => Some(Known::Publish),
            _ => None,
        }
    }

    /// The point of a callback, if it was built for exactly the payload that is known here.
    pub(super) fn of(point: &str, revision: u32, fingerprint: [u64; 2]) -> Option<Self> {
        let known = Self::named(point)?;
        let ours = match known {
            Known::Delivered => (MessageDelivered::REVISION, MessageDelivered::shape()),
            Known::Dropped => (MessageDropped::REVISION, MessageDropped::shape()),
            Known::Publish => (MessagePublish::REVISION, MessagePublish::shape()),
        };
        (revision == ours.0 && fingerprint == ours.1.fingerprint).then_some(known)
    }

    /// Whether callbacks may only read.
    pub(super) fn is_notify(self) -> bool {
        self != Known::Publish
    }

    /// Whether a callback may return this number there, according to `docs/abi.md`; a fault is not allowed.
    pub(super) fn allows(self, answer: u32) -> bool {
        let (kind, code) = (answer & 0xff, answer >> 8);
        match kind {
            0 | 1 => code == 0,
            2 => !self.is_notify(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_revision_or_payload_is_not_known() {
        let fingerprint = MessagePublish::shape().fingerprint;
        assert_eq!(Known::of("message.publish", 1, fingerprint), Some(Known::Publish));
        assert_eq!(Known::of("message.publish", 2, fingerprint), None);
        assert_eq!(Known::of("message.publish", 1, [0, 0]), None);
        assert_eq!(Known::of("message.published", 1, fingerprint), None);
    }

    #[test]
    fn a_verdict_is_one_of_the_point() {
        for (answer, publish, delivered) in [
            (0, true, true),
            (1, true, true),
            (2, true, false),
            (2 | 7 << 8, true, false),
            (1 << 8, false, false),
            (255, false, false),
        ] {
            assert_eq!(Known::Publish.allows(answer), publish, "{answer}");
            assert_eq!(Known::Delivered.allows(answer), delivered, "{answer}");
        }
    }
}
