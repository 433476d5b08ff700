//! A moment, and a time after it.

use std::time::{Duration, Instant};

/// That much later, or a century if the clock does not reach as far: whoever says `Duration::MAX` means never.
pub(crate) fn later(moment: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    moment.checked_add(time).unwrap_or_else(|| moment + CENTURY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_too_long() {
        let now = Instant::now();
        assert_eq!(later(now, Duration::from_secs(1)), now + Duration::from_secs(1));
        assert!(later(now, Duration::MAX) > now + Duration::from_secs(1 << 30));
    }
}
