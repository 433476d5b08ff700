//! What must be reached, and in how many rounds that is found out.

use super::shared::rounds::Compared;

/// Rounds of what takes nanoseconds, and of what takes milliseconds.
pub(super) const ROUNDS: usize = 101;
pub(super) const LONG_ROUNDS: usize = 21;

/// What must be reached.
pub(super) enum Bound {
    /// Nothing: it is only shown.
    None,
    /// So many nanoseconds more than the baseline.
    More(f64),
    /// So many instructions more per dispatch, and per callback of the label.
    Instructions(f64, f64),
    /// So many times the baseline.
    Times(f64),
    /// Nothing: it is shown, and how it stands to its baseline.
    Beside,
}

impl Bound {
    /// Whether it holds, and how the figure is shown.
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
        }
    }
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 1000.0 { format!("{nanoseconds:.1} ns") } else { format!("{:.1} us", nanoseconds / 1000.0) }
}
