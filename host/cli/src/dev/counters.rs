//! The messages that went through a host, and whether all of them were answered.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hookrail::control::command::Status;
use hookrail::control::{Client, Manage};
use serde::{Deserialize, Serialize};

/// How long to look again while a message is unanswered: it may be on its way, waiting for the reader of the output.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// The counters of `hookrail run`, as its status reports them at one moment.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Counters {
    #[serde(rename = "in")]
    messages: u64,
    #[serde(rename = "out")]
    delivered: u64,
    denied: u64,
}

/// The messages between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Traffic {
    /// The number of messages.
    pub(super) messages: u64,
    /// The smallest number of messages that were neither delivered nor denied at any look, of all messages ever read.
    /// If it is 0, none was dropped. Otherwise it is impossible to tell from outside whether they are lost or on their
    /// way.
    pub(super) unanswered: u64,
}

impl Counters {
    /// The counters of a host; `None` if it has none, because it is not `hookrail run`.
    pub(super) fn of(host: &mut Client) -> Option<Self> {
        serde_json::from_value(host.ask(Status::new()).ok()?.report).ok()
    }

    /// The messages since then.
    pub(super) fn until_now(self, host: &mut Client) -> Option<Traffic> {
        let deadline = Instant::now() + PATIENCE;
        self.traffic(
            || Counters::of(host),
            || {
                sleep(PAUSE);
                Instant::now() < deadline
            },
        )
    }

    /// Looks again while a message is unanswered and `may_go_on` allows it.
    fn traffic(
        self,
        mut look: impl FnMut() -> Option<Counters>,
        mut may_go_on: impl FnMut() -> bool,
    ) -> Option<Traffic> {
        let now = look()?;
        let mut unanswered = now.unanswered();
        while unanswered > 0 && may_go_on() {
            unanswered = unanswered.min(look()?.unanswered());
        }
        Some(Traffic { messages: now.messages.saturating_sub(self.messages), unanswered })
    }

    fn unanswered(self) -> u64 {
        self.messages.saturating_sub(self.delivered + self.denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(looks: &[(u64, u64, u64)]) -> Option<Traffic> {
        let mut looks = looks.iter().map(|&(messages, delivered, denied)| Counters { messages, delivered, denied });
        let rest = std::cell::Cell::new(looks.len());
        let before = Counters { messages: 10, delivered: 9, denied: 0 };
        before.traffic(
            || {
                rest.set(rest.get().saturating_sub(1));
                looks.next()
            },
            || rest.get() > 0,
        )
    }

    #[test]
    fn messages_in_flight_are_not_counted_as_dropped() {
        let flowing = [(100, 90, 9), (110, 100, 8), (120, 110, 10), (130, 0, 0)];
        assert_eq!(traffic(&flowing), Some(Traffic { messages: 90, unanswered: 0 }));
    }

    #[test]
    fn lost_messages_are_missing_at_each_look() {
        assert_eq!(
            traffic(&[(100, 95, 0), (110, 107, 0), (120, 116, 0)]),
            Some(Traffic { messages: 90, unanswered: 3 })
        );
    }

    #[test]
    fn a_program_without_these_counters_is_not_guessed_at() {
        assert!(serde_json::from_value::<Counters>(serde_json::json!({ "served": 3 })).is_err());
        assert_eq!(traffic(&[]), None);
    }
}
