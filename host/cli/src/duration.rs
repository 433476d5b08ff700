//! Durations in readable form.

use std::time::Duration;

/// Three digits, in a suitable unit: `1.24 s`, `3.10 ms`, `41.2 µs`, `85 ns`.
pub(crate) fn text(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (number, unit) = match seconds {
        // No clock that is read here has a finer resolution.
        0.0..0.000_000_999_5 => return format!("{} ns", duration.as_nanos()),
        // A value that would be rounded up to 1000 of a unit is shown as 1 of the next.
        0.0..0.000_999_5 => (seconds * 1e6, "µs"),
        0.0..0.999_5 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough_for_anybody() {
        for (nanoseconds, expected) in [
            (0, "0 ns"),
            (85, "85 ns"),
            (999, "999 ns"),
            (1000, "1.00 µs"),
            (41_234, "41.2 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (3_100_000, "3.10 ms"),
            (9_996_000, "10.0 ms"),
            (99_960_000, "100 ms"),
            (999_600_000, "1.00 s"),
            (1_240_000_000, "1.24 s"),
            (754_000_000_000, "754 s"),
        ] {
            assert_eq!(text(Duration::from_nanos(nanoseconds)), expected);
        }
    }
}
