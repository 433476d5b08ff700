//! The bounds, and the number of rounds in which they are checked.

use super::shared::rounds::Compared;

/// Rounds for what takes nanoseconds, and for what takes milliseconds.
pub(super) const ROUNDS: usize = 101;
pub(super) const LONG_ROUNDS: usize = 21;

/// What must be reached.
pub(super) enum Bound {
    /// No bound: the value is only shown.
    None,
    /// At most this many nanoseconds more than the baseline.
    More(f64),
    /// At most this many instructions more per dispatch, and per callback of the label.
    Instructions(f64, f64),
    /// At most this multiple of the baseline.
    Times(f64),
    /// At most the multiple of the baseline that stands beside the label.
    TimesByLength(&'static [(&'static str, f64)]),
    /// At most this multiple of the baseline, or this many nanoseconds more.
    TimesOrMore(f64, f64),
    /// No bound: the value is shown together with its ratio to the baseline.
    Beside,
}

impl Bound {
    /// Whether the bound holds, and the text for the value.
    pub(super) fn judge(&self, label: &str, compared: &Compared) -> (bool, String) {
        let Compared { candidate, more: (_, more), ratio: (_, ratio), .. } = *compared;
        match self {
            Bound::None => (true, format!("{label}: {}", time(candidate))),
            Bound::Beside => (true, format!("{label}: {}, {ratio:.2} x", time(candidate))),
            Bound::More(most) => (more <= *most, format!("{label}: {more:+.2} ns")),
            Bound::Instructions(once, each) => {
                let callbacks: f64 = label.parse().expect("a length");
                (more <= once + each * callbacks, format!("{label}: {more:+}"))
            }
            Bound::Times(most) => (ratio <= *most, format!("{label}: {ratio:.2}")),
            Bound::TimesByLength(bounds) => {
                let (_, most) = bounds.iter().find(|(length, _)| *length == label).expect("a bound for each length");
                (ratio <= *most, format!("{label}: {ratio:.2}"))
            }
            Bound::TimesOrMore(times, more_ns) => {
                (ratio <= *times || more <= *more_ns, format!("{label}: {ratio:.2}, {more:+.2} ns"))
            }
        }
    }
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 1000.0 { format!("{nanoseconds:.1} ns") } else { format!("{:.1} us", nanoseconds / 1000.0) }
}
