//! How long it takes until a batch is sent again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, SystemTime};

/// The longest time that a receiver may want by `Retry-After`.
const LONGEST: Duration = Duration::from_secs(300);

/// Exponential back-off with full jitter: each pause is any time up to a limit, which doubles.
#[derive(Debug)]
pub(crate) struct Pauses {
    limit: Duration,
    most: Duration,
}

impl Pauses {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Pauses { limit: first, most }
    }

    /// The next one, but not less than what the receiver wants.
    pub(crate) fn next(&mut self, wanted: Option<Duration>) -> Duration {
        // Keys that std makes of the system's random numbers: senders that fail together do not come back together.
        let random = RandomState::new().hash_one(0);
        let pause = self.limit.mul_f64(random as f64 / u64::MAX as f64);
        self.limit = (self.limit * 2).min(self.most);
        pause.max(wanted.unwrap_or_default().min(LONGEST))
    }
}

/// What `Retry-After` says: seconds, or a date.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is as long as can be.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    // One that has passed: at once.
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(1));
        let mut longest = [Duration::ZERO; 6];
        for _ in 0..200 {
            let mut pauses = Pauses::new(first, most);
            for (number, longest) in (0..).zip(&mut longest) {
                let pause = pauses.next(None);
                assert!(pause <= (first * 2_u32.pow(number)).min(most));
                *longest = pause.max(*longest);
            }
        }
        // That 200 even times are all in the lower half happens once in 2^200.
        assert!(longest[0] > first / 2 && longest[5] > most / 2, "{longest:?}");
    }

    #[test]
    fn a_receiver_may_want_more_but_not_without_end() {
        let mut pauses = Pauses::new(Duration::from_millis(1), Duration::from_millis(1));
        assert_eq!(pauses.next(Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(pauses.next(Some(Duration::MAX)), LONGEST);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("Sun Nov  6 08:49:27 1994", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
