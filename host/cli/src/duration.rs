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

/// Reads a time such as `500ms`, `10s`, `2m`, `3h` or `1d`.
pub(crate) fn read(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("write a number and ms, s, m, h or d, for example 10s".into()),
    };
    let number: u64 = number.parse().map_err(|_| "write a number first, for example 10s")?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| "that is too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(read("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(read("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(read("24h"), read("1d"));
        for wrong in ["", "10", "s", "-1s", "1.5s", "1w", "99999999999999999999s", "18446744073709551615m"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

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
