//! Numbers that plugins count themselves.

use serde::{Deserialize, Serialize};

use crate::metrics::FamilyKind;

/// The largest number of them that a plugin may have.
pub const MOST: usize = 64;

/// What a plugin says of one of its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricInfo {
    /// Its name, without plugin, unit and `_total`.
    pub name: String,
    /// What it is, in a sentence.
    pub help: String,
    /// Its unit; empty for a plain number.
    #[serde(default)]
    pub unit: String,
    /// Whether it only grows.
    pub kind: FamilyKind,
}

/// A number that a plugin counts itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PluginMetric {
    /// What it is.
    #[serde(flatten)]
    pub info: MetricInfo,
    /// The number.
    pub value: i64,
}

impl MetricInfo {
    /// A number with that name; a plain one.
    pub fn new(name: impl Into<String>, help: impl Into<String>, kind: FamilyKind) -> Self {
        MetricInfo { name: name.into(), help: help.into(), unit: String::new(), kind }
    }

    /// Refuses what would not be the name of a number, or would look like another one; it says why.
    ///
    /// # Errors
    /// That is what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let is_word = |text: &str, most: usize| {
            text.len() <= most && text.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_'))
        };
        if !is_word(&self.name, 48) || !self.name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            return Err("its name is not 1 to 48 lower-case letters, digits and `_`, a letter first".into());
        }
        if self.unit.len() > 16 || !self.unit.chars().all(|letter| letter.is_ascii_lowercase()) {
            return Err("its unit is not at most 16 lower-case letters".into());
        }
        if let Some(end) = ADDED.into_iter().find(|end| self.name.ends_with(end) || self.full_name().ends_with(end)) {
            return Err(format!("its name ends in `{end}`, which is added where it belongs"));
        }
        if self.help.is_empty() || self.help.len() > 200 {
            return Err("what it is, is not said in 1 to 200 bytes".into());
        }
        match self.kind {
            FamilyKind::Counter | FamilyKind::Gauge => Ok(()),
            _ => Err("it is neither a counter nor a gauge".into()),
        }
    }

    /// As [`check`](Self::check), and refuses what would be shown under the name of one of the others.
    ///
    /// # Errors
    /// That is what is wrong.
    pub fn check_beside(&self, others: &[MetricInfo]) -> Result<(), String> {
        self.check()?;
        let full = self.full_name();
        match others.iter().any(|other| other.full_name() == full) {
            true => Err(format!("another one is called `{full}` as well")),
            false => Ok(()),
        }
    }

    /// The name that it is shown under, behind that of its plugin and before `_total`: with the unit.
    pub fn full_name(&self) -> String {
        match &*self.unit {
            "" => self.name.clone(),
            unit => format!("{}_{unit}", self.name),
        }
    }

    /// With that value, of which the plugin has written the bits.
    pub fn with_bits(&self, bits: u64) -> PluginMetric {
        let value = match self.kind {
            FamilyKind::Gauge => bits.cast_signed(),
            _ => i64::try_from(bits).unwrap_or(i64::MAX),
        };
        PluginMetric { info: self.clone(), value }
    }
}

/// What has a meaning at the end of a name.
const ADDED: [&str; 6] = ["_bucket", "_count", "_created", "_info", "_sum", "_total"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_monitoring_takes_are_names() {
        for (name, is_right) in [
            ("a", true),
            ("lost_lines2", true),
            ("", false),
            ("2a", false),
            ("_a", false),
            ("Lost", false),
            ("lost-lines", false),
            ("lost\n", false),
            ("lost_total", false),
            ("x_sum", false),
            (&"a".repeat(48), true),
            (&"a".repeat(49), false),
        ] {
            let info = MetricInfo::new(name, "What it is.", FamilyKind::Gauge);
            assert_eq!(info.check().is_ok(), is_right, "{name}");
        }
        let mut info = MetricInfo::new("a", "", FamilyKind::Gauge);
        assert!(info.check().is_err(), "nobody knows what it is");
        (info.help, info.unit) = ("What it is.".into(), "By tes".into());
        assert!(info.check().is_err());
        info.unit = "total".into();
        assert!(info.check().is_err(), "as the counter `a` would");
        (info.unit, info.kind) = ("bytes".into(), FamilyKind::Summary);
        assert!(info.check().is_err());
    }

    #[test]
    fn no_two_numbers_are_shown_under_one_name() {
        let info = |name: &str, unit: &str, kind| {
            let mut info = MetricInfo::new(name, "What it is.", kind);
            info.unit = unit.into();
            info
        };
        let there = [info("a", "bytes", FamilyKind::Counter)];
        for (name, unit, is_right) in
            [("a", "bytes", false), ("a_bytes", "", false), ("a", "", true), ("b", "bytes", true)]
        {
            for kind in [FamilyKind::Counter, FamilyKind::Gauge] {
                assert_eq!(info(name, unit, kind).check_beside(&there).is_ok(), is_right, "{name} {unit}");
            }
        }
    }

    #[test]
    fn a_gauge_may_be_negative_and_a_counter_never_is() {
        let of = |kind| MetricInfo::new("a", "What it is.", kind).with_bits(u64::MAX).value;
        assert_eq!((of(FamilyKind::Gauge), of(FamilyKind::Counter)), (-1, i64::MAX));
    }
}
