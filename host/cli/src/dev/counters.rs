//! What flowed through a host, and whether all of it was answered.

use std::thread::yield_now;

use hookrail::control::Client;
use serde::{Deserialize, Serialize};

/// How often to look again while something is on its way.
const LOOKS: u32 = 100;

/// The counters of `hookrail run`, as its status reports them, at one time.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Counters {
    #[serde(rename = "in")]
    messages: u64,
    #[serde(rename = "out")]
    delivered: u64,
    denied: u64,
}

/// What flowed between two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Traffic {
    /// How many messages came.
    pub(super) messages: u64,
    /// How many of them were neither delivered nor denied, and are not merely on their way.
    pub(super) dropped: u64,
}

impl Counters {
    /// Those of a host; `None` where it has none, since it is another program than `hookrail run`.
    pub(super) fn of(host: &mut Client) -> Option<Self> {
        settled(|| serde_json::from_value(host.status().ok()?.report).ok())
    }

    /// What flowed since.
    pub(super) fn until(self, host: &mut Client) -> Option<Traffic> {
        Counters::of(host).map(|now| self.traffic(now))
    }

    fn traffic(self, now: Counters) -> Traffic {
        // What was lost before is not ours.
        let dropped = now.unanswered().saturating_sub(self.unanswered());
        Traffic { messages: now.messages.saturating_sub(self.messages), dropped }
    }

    fn unanswered(self) -> u64 {
        self.messages.saturating_sub(self.delivered + self.denied)
    }
}

/// Of several looks the one at which the fewest messages were unanswered. What is on its way is
/// answered at some look or other; what was lost is missing at each of them.
fn settled(mut look: impl FnMut() -> Option<Counters>) -> Option<Counters> {
    let mut best = look()?;
    for _ in 1..LOOKS {
        if best.unanswered() == 0 {
            break;
        }
        yield_now();
        let counters = look()?;
        if counters.unanswered() <= best.unanswered() {
            best = counters;
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_not_dropped_and_what_is_lost_is() {
        let mut looks = [(10, 5, 3), (20, 15, 4), (30, 24, 6)].into_iter();
        let look = || looks.next().map(|(messages, delivered, denied)| Counters { messages, delivered, denied });
        let before = settled(look).unwrap();
        assert_eq!(before.messages, 30);
        // Always two of them on their way, and three lost.
        let mut messages = 100;
        let busy = settled(|| {
            messages += 10;
            Some(Counters { messages, delivered: messages - 5, denied: 0 })
        });
        assert_eq!(before.traffic(busy.unwrap()).dropped, 5);
        let mut looks = (3..9).rev();
        let lost = settled(|| Some(Counters { messages: 100, delivered: 100 - looks.next().unwrap_or(3), denied: 0 }));
        assert_eq!(before.traffic(lost.unwrap()), Traffic { messages: 70, dropped: 3 });
    }

    #[test]
    fn a_program_without_these_counters_is_not_guessed_at() {
        assert!(settled(|| serde_json::from_value(serde_json::Value::Null).ok()).is_none());
    }
}
