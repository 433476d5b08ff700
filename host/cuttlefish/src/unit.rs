//! Units: what a property counts according to its name, and amounts written with their unit.

/// What a property counts, according to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Milliseconds,
    Seconds,
}

/// The endings of names that denote a unit.
const NAMES: [(&str, Unit); 6] = [
    ("_bytes", Unit::Bytes),
    ("_ms", Unit::Milliseconds),
    ("_s", Unit::Seconds),
    ("_sec", Unit::Seconds),
    ("_secs", Unit::Seconds),
    ("_seconds", Unit::Seconds),
];

/// Units of durations, in milliseconds; `ms` before `m`, which is its prefix.
const DURATIONS: [(&str, f64); 7] = [
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 60e3),
    ("h", 3600e3),
    ("d", 86_400e3),
    ("w", 7.0 * 86_400e3),
    ("f", 14.0 * 86_400e3),
];

const SIZES: [(&str, u32); 3] = [("KB", 10), ("MB", 20), ("GB", 30)];

impl Unit {
    /// A name without its unit, and the unit.
    pub(super) fn of(name: &str) -> (&str, Option<Self>) {
        let found = NAMES.into_iter().find_map(|(end, unit)| Some((name.strip_suffix(end)?, Some(unit))));
        found.unwrap_or((name, None))
    }

    /// Whether a text is an amount of this, with its unit.
    pub(super) fn is_written_in(self, text: &str) -> bool {
        match self {
            Unit::Bytes => bytes(text).is_some(),
            Unit::Milliseconds | Unit::Seconds => milliseconds(text).is_some(),
        }
    }
}

/// `1h30m`, `.5s`, `100ms`.
pub(super) fn milliseconds(text: &str) -> Option<f64> {
    let text = text.to_ascii_lowercase();
    let (mut rest, mut sum) = (&*text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, behind) = rest.split_at(digits);
        let (unit, factor) = DURATIONS.into_iter().find(|(unit, _)| behind.starts_with(unit))?;
        sum += amount(number)? * factor;
        rest = &behind[unit.len()..];
    }
    // Rounded to the microsecond: 1.1 s is not exactly 1,100 ms in floating point.
    (!text.is_empty()).then(|| (sum * 1e3).round() / 1e3)
}

/// `10MB`.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let text = text.to_ascii_uppercase();
    let (number, shift) = SIZES.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))?;
    Some(amount(number)? * f64::from(1_u32 << shift))
}

/// Digits, optionally with a dot among them.
pub(super) fn amount(text: &str) -> Option<f64> {
    let is_amount = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|number: &f64| is_amount && number.is_finite())
}
